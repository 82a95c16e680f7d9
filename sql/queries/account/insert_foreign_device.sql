-- A key of another server. One that was taken over before stays as it is, revoked or not.
INSERT INTO devices (user_id, kind, name, key_hash, is_foreign) VALUES ($1, $2, $3, $4, true) ON CONFLICT DO NOTHING
