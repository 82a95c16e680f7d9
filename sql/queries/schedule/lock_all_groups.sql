-- By ascending id, like all statements that lock several groups.
SELECT group_id FROM schedule_groups ORDER BY group_id FOR NO KEY UPDATE
