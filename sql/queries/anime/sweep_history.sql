-- One bounded step.
-- $1 days to keep  $2 limit
DELETE FROM anime_history h USING (
  SELECT user_id, change_id FROM anime_history WHERE changed_at < clock_timestamp() - $1::bigint * interval '1 day'
  ORDER BY changed_at LIMIT $2) o
WHERE h.user_id = o.user_id AND h.change_id = o.change_id
