INSERT INTO users (name, password_hash, is_admin, quota_bytes) VALUES ($1, $2, $3, $4) RETURNING user_id
