INSERT INTO invitations (code_hash, uses_left, expires_at) VALUES ($1, $2, now() + make_interval(hours => $3::int))
