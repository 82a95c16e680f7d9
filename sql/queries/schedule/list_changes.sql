-- Changes of one group's lessons, the oldest first: by their ids, which rise in the order of their commits because each holds
-- the group's lock.
-- $1 group  $2 after this id  $3 from this time or null  $4 limit
SELECT c.change_id, c.lesson_id, c.kind, c.slot_date::text, c.is_first, c.before, c.after, c.changed_at, c.run_id
FROM schedule_changes c
WHERE c.group_id = $1 AND c.change_id > $2 AND ($3::timestamptz IS NULL OR c.changed_at >= $3)
ORDER BY c.change_id LIMIT $4
