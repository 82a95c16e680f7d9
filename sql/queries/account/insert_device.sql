-- Sets last_seen_at, because a new key is used right away and its first request then need not write.
INSERT INTO devices (user_id, kind, name, key_hash, last_seen_at, expires_at, is_kept)
VALUES ($1, $2, $3, $4, now(), now() + make_interval(secs => $5::bigint), $6)
RETURNING device_id
