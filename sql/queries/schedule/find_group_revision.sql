SELECT g.revision, g.changed_at, st.last_ok_at, st.consecutive_failures
FROM schedule_groups g LEFT JOIN schedule_group_states st ON st.group_id = g.group_id
WHERE g.group_id = $1
