SELECT j.job_id, j.kind, j.user_id, u.name AS user_name, j.priority, j.state, j.run_at, j.attempts, j.max_attempts,
       j.worker, j.cancel_requested, j.progress_done, j.progress_total, j.progress_message, j.last_error, j.created_at,
       j.started_at, j.finished_at, j.unique_key, j.args, j.heartbeat_at
FROM jobs j LEFT JOIN users u ON u.user_id = j.user_id
WHERE j.job_id = $1
