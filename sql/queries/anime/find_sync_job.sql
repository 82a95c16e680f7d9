-- A job that fills the catalogue: it belongs to no account.
SELECT job_id, kind, state, progress_done, progress_total, progress_message, last_error FROM jobs
WHERE job_id = $1 AND kind IN ('anime.sync_title', 'anime.sync_top', 'anime.warm_up')
