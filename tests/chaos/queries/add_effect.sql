INSERT INTO chaos_effects (job_id, kind) VALUES ($1, $2)
