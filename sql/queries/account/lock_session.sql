-- is_kept: the token stays the same with each exchange.
-- The row lock ensures that a refresh token is used once. No row: there is no such session, it has ended, or
-- it is so old that its owner has to log in again, because a stolen session must not last for ever.
SELECT (SELECT is_disabled FROM users WHERE user_id = $1) AS is_disabled,
       key_hash = $3 OR (previous_key_hash = $3 AND rotated_at > now() - make_interval(secs => $4::bigint)) IS TRUE AS is_valid,
       is_kept
FROM devices
WHERE user_id = $1 AND device_id = $2 AND kind = 'refresh' AND revoked_at IS NULL AND created_at > now() - interval '90 days'
FOR UPDATE
