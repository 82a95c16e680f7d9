-- Locks the account, so that two concurrent references cannot both fit under the quota; and the blob, so that
-- the sweep, which locks it before it looks for references, either sees this one or makes us wait. No row:
-- the blob was swept, or the account removed.
SELECT u.quota_bytes FROM users u CROSS JOIN blobs b
WHERE u.user_id = $1 AND b.blob_id = $2 AND b.sha256 IS NOT NULL
FOR NO KEY UPDATE OF u FOR KEY SHARE OF b
