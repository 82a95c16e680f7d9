-- $1 state or null  $2 kind or null  $3 user or null  $4 at most. Newest first.
SELECT job_id, kind, user_id, priority, state, run_at, attempts, max_attempts, worker, cancel_requested,
       progress_done, progress_total, progress_message, last_error, created_at, started_at, finished_at,
       unique_key, args, heartbeat_at
FROM jobs
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR kind = $2) AND ($3::bigint IS NULL OR user_id = $3)
ORDER BY job_id DESC LIMIT $4
