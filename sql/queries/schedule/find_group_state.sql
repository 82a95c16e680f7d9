-- $1 group
SELECT page_hash, etag, last_modified, last_ok_at, held_run_id, held_since, has_heading
FROM schedule_group_states WHERE group_id = $1
