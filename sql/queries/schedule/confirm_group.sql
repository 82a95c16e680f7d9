-- The stored lessons are the source's. $1 group $2 hash of the page, or null $3 whether the page has the
-- group's name
INSERT INTO schedule_group_states (group_id, page_hash, has_heading, last_ok_at)
VALUES ($1, $2, $3, clock_timestamp())
ON CONFLICT (group_id) DO UPDATE SET page_hash = excluded.page_hash, last_ok_at = excluded.last_ok_at,
       has_heading = schedule_group_states.has_heading OR excluded.has_heading,
       consecutive_failures = 0, last_error_code = NULL, held_since = NULL, held_run_id = NULL
