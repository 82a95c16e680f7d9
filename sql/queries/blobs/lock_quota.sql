-- Locks the account while its room is counted, so that two writers cannot both take the last room. No row: no
-- quota.
SELECT quota_bytes FROM users WHERE user_id = $1 AND quota_bytes IS NOT NULL FOR NO KEY UPDATE
