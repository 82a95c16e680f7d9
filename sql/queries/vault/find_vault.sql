SELECT
-- include: vault_columns
  FROM vaults WHERE user_id = $1 AND slug = $2
