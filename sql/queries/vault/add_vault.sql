-- $1 account  $2 name  $3 slug  $4 the next node. None: the slug is taken.
INSERT INTO vaults (user_id, name, slug, next_node) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id, slug) DO NOTHING RETURNING vault_id
