INSERT INTO anki_imports (user_id, job_id, kind, options, file_name, file_bytes, blob_id) VALUES ($1, $2, $3, $4, $5, $6, $7)
