-- The groups among $2 that the run will read: all of them ($3), or those that users follow, that changed
-- recently, or that were never read or are held. Groups with users first, then the least recently read ones.
-- $1 run  $2 groups  $3 whether all
INSERT INTO schedule_run_groups (run_id, group_id, position)
SELECT $1, g.group_id, row_number() OVER (ORDER BY (p.people = 0), s.last_ok_at NULLS FIRST, g.group_id)
FROM schedule_groups g
LEFT JOIN schedule_group_states s ON s.group_id = g.group_id
CROSS JOIN LATERAL (
  SELECT (SELECT count(*) FROM schedule_profiles u WHERE u.group_id = g.group_id)
         + (SELECT count(*) FROM schedule_feeds f WHERE f.kind = 'group' AND f.target_id = g.group_id) AS people) p
WHERE g.group_id = ANY ($2::int[]) AND g.upstream_id IS NOT NULL
  AND ($3::boolean OR p.people > 0 OR g.revision = 0 OR s.held_since IS NOT NULL OR s.last_error_code IS NOT NULL
       OR EXISTS (SELECT FROM schedule_changes c WHERE c.group_id = g.group_id AND c.changed_at > now() - interval '14 days'
                  AND NOT c.is_first))
ON CONFLICT DO NOTHING
