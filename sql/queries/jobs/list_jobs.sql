-- For an operator, newest first. $1 state or null  $2 kind or null  $3 user or null  $4 limit
SELECT j.job_id, j.kind, j.user_id, u.name AS user_name, j.priority, j.state, j.run_at, j.attempts, j.max_attempts,
       j.worker, j.cancel_requested, j.progress_done, j.progress_total, j.progress_message, j.last_error, j.created_at,
       j.started_at, j.finished_at, j.unique_key, j.args, j.heartbeat_at
FROM jobs j LEFT JOIN users u ON u.user_id = j.user_id
WHERE ($1::text IS NULL OR j.state = $1) AND ($2::text IS NULL OR j.kind = $2) AND ($3::bigint IS NULL OR j.user_id = $3)
ORDER BY j.job_id DESC LIMIT $4
