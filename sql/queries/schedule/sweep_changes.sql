-- $1 days  $2 limit
DELETE FROM schedule_changes WHERE change_id IN (
  SELECT change_id FROM schedule_changes
  WHERE changed_at < now() - $1::bigint * interval '1 day' ORDER BY changed_at LIMIT $2)
