INSERT INTO chaos_starts (job_id, kind, attempt) VALUES ($1, $2, $3)
