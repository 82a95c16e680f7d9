SELECT bytes FROM blob_chunks WHERE blob_id = $1 AND seq = $2
