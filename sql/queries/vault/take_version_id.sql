-- $3: about what the version takes as a row  $4: its bytes
UPDATE vaults SET next_version = next_version + 1, row_bytes = row_bytes + $3, used_bytes = used_bytes + $4
 WHERE user_id = $1 AND vault_id = $2 RETURNING next_version - 1 AS version_id
