-- A key of another server. A key that exists already is unchanged, revoked or not.
INSERT INTO devices (user_id, kind, name, key_hash, is_foreign) VALUES ($1, $2, $3, $4, true) ON CONFLICT DO NOTHING
