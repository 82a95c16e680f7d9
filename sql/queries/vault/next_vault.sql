SELECT user_id, vault_id FROM vaults WHERE (user_id, vault_id) > ($1::bigint, $2::bigint) ORDER BY user_id, vault_id LIMIT 1
