DELETE FROM anime_imports WHERE user_id = $1 AND job_id = $2 RETURNING blob_id
