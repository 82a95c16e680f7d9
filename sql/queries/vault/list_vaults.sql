SELECT
-- include: vault_columns
  FROM vaults WHERE user_id = $1 ORDER BY slug
