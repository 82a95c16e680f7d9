-- The site says that the page is unchanged. $1 group
UPDATE schedule_group_states SET last_ok_at = clock_timestamp(), consecutive_failures = 0, last_error_code = NULL
WHERE group_id = $1
