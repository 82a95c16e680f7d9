-- None: the slug is taken.
INSERT INTO vaults (user_id, name, slug) VALUES ($1, $2, $3) ON CONFLICT (user_id, slug) DO NOTHING RETURNING vault_id
