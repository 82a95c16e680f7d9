-- $1 group  $2 error code
INSERT INTO schedule_group_states (group_id, consecutive_failures, last_error_code) VALUES ($1, 1, $2)
ON CONFLICT (group_id) DO UPDATE SET consecutive_failures = schedule_group_states.consecutive_failures + 1,
       last_error_code = excluded.last_error_code
