UPDATE blob_refs SET holders = holders - 1 WHERE user_id = $1 AND service = $2 AND blob_id = $3
