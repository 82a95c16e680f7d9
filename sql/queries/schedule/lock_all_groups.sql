-- By ascending id, as whoever locks several groups.
SELECT group_id FROM schedule_groups ORDER BY group_id FOR NO KEY UPDATE
