SELECT coalesce(max(change_id), 0) AS change_id FROM schedule_changes WHERE group_id = $1
