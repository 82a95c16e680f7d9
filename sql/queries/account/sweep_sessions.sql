-- Sessions whose refresh token has expired, so that they cannot continue. All tenants, from an index of live
-- sessions by time.
UPDATE devices SET revoked_at = now()
WHERE ctid = ANY (ARRAY(SELECT ctid FROM devices WHERE expires_at < now() AND revoked_at IS NULL ORDER BY expires_at LIMIT $1))
