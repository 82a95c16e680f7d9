-- Serialises all who change the vault. A caller that has waited reads everything else next, as it is by then.
SELECT
-- include: vault_columns
  FROM vaults WHERE user_id = $1 AND vault_id = $2 FOR UPDATE
