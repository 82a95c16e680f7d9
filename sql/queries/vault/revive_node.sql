-- A file begins without a content: its versions are there, but none is what readers get.
UPDATE vault_nodes SET name = $4, head_version = NULL, deleted_at = NULL, created_at = now(), modified_at = now()
 WHERE user_id = $1 AND vault_id = $2 AND node_id = $3
