-- The live feeds of an account.
SELECT f.feed_id, f.kind, f.target_id, f.subgroup, f.name, f.created_at, f.last_used_at, f.sealed_token,
       CASE f.kind WHEN 'group' THEN (SELECT name FROM schedule_groups WHERE group_id = f.target_id)
                   WHEN 'teacher' THEN (SELECT full_name FROM schedule_teachers WHERE teacher_id = f.target_id)
                   WHEN 'room' THEN (SELECT name FROM schedule_rooms WHERE room_id = f.target_id) END AS target_name
FROM schedule_feeds f
WHERE f.user_id = $1
ORDER BY f.feed_id
