-- With all that is below it. $4 parent  $5 name  $6 its key
UPDATE vault_nodes SET parent_id = $4, name = $5, name_key = $6
 WHERE user_id = $1 AND vault_id = $2 AND node_id = $3
