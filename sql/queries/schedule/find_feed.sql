-- The live feed behind a token, of an enabled account, with the state that its entity tag depends on. For a
-- feed of the kind own: that of the account's group.
SELECT f.feed_id, f.kind, f.name, f.target_id,
       CASE WHEN f.kind = 'own' THEN p.group_id ELSE f.target_id END AS shown_id,
       CASE WHEN f.kind = 'own' THEN coalesce(p.subgroup, 0) ELSE f.subgroup END AS subgroup,
       greatest(f.changed_at, p.updated_at) AS feed_changed_at,
       f.last_used_at IS NULL OR f.last_used_at < now() - interval '1 hour' AS is_stale,
       g.revision, g.changed_at, g.name AS group_name,
       (SELECT full_name FROM schedule_teachers WHERE f.kind = 'teacher' AND teacher_id = f.target_id) AS teacher_name,
       (SELECT name FROM schedule_rooms WHERE f.kind = 'room' AND room_id = f.target_id) AS room_name
FROM schedule_feeds f
JOIN users u ON u.user_id = f.user_id AND NOT u.is_disabled
LEFT JOIN schedule_profiles p ON p.user_id = f.user_id AND f.kind = 'own'
LEFT JOIN schedule_groups g ON g.group_id = CASE f.kind WHEN 'own' THEN p.group_id WHEN 'group' THEN f.target_id END
WHERE f.user_id = $1 AND f.token_hash = $2
