-- The remaining groups of a run, in order; validators only of pages whose lessons are stored unchanged. $1
-- run
SELECT g.group_id, g.name, g.upstream_id, coalesce(s.has_heading, false) AS has_heading,
       CASE WHEN s.page_hash IS NOT NULL AND s.held_since IS NULL THEN s.etag END AS etag,
       CASE WHEN s.page_hash IS NOT NULL AND s.held_since IS NULL THEN s.last_modified END AS last_modified
FROM schedule_run_groups w JOIN schedule_groups g ON g.group_id = w.group_id
LEFT JOIN schedule_group_states s ON s.group_id = g.group_id
WHERE w.run_id = $1 AND w.state = 'pending' AND g.upstream_id IS NOT NULL
ORDER BY w.position
