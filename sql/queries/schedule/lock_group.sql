-- Serialises all writers of one group's lessons. $1 group
SELECT group_id, name, revision, uid_seed::text AS uid_seed FROM schedule_groups WHERE group_id = $1 FOR NO KEY UPDATE
