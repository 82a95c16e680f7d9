DELETE FROM anki_imports WHERE user_id = $1 AND job_id = $2 RETURNING blob_id
