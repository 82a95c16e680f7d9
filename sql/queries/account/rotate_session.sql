-- A repeated exchange, which gives the same id again, does not extend the time in which it may be repeated.
UPDATE devices
SET key_hash = $4, previous_key_hash = $3, rotated_at = CASE WHEN key_hash = $4 AND previous_key_hash = $3 THEN rotated_at ELSE now() END,
    last_seen_at = now(), expires_at = now() + make_interval(secs => $5::bigint)
WHERE user_id = $1 AND device_id = $2
