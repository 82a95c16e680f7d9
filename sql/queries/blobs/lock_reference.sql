SELECT holders FROM blob_refs WHERE user_id = $1 AND service = $2 AND blob_id = $3 FOR UPDATE
