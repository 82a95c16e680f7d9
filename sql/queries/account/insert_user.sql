INSERT INTO users (name, email, password_hash, is_admin, quota_bytes) VALUES ($1, $2, $3, $4, $5) RETURNING user_id
