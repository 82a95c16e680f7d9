-- Seen at once: whoever asks for a key uses it, and the first request need not write.
INSERT INTO devices (user_id, kind, name, key_hash, last_seen_at) VALUES ($1, $2, $3, $4, now()) RETURNING device_id
