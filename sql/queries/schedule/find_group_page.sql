-- $1 group
SELECT group_id, name, upstream_id FROM schedule_groups WHERE group_id = $1
