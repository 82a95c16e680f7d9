SELECT job_id, kind, user_id, priority, state, run_at, attempts, max_attempts, worker, cancel_requested,
       progress_done, progress_total, progress_message, last_error, created_at, started_at, finished_at,
       unique_key, args, heartbeat_at
FROM jobs WHERE job_id = $1
