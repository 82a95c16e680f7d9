-- Failures first. $1 run  $2 limit
SELECT w.group_id, g.name, w.state, w.attempts, w.http_status, w.took_ms, w.found, w.added, w.changed, w.removed, w.warnings,
       w.error_code, w.error_detail
FROM schedule_run_groups w JOIN schedule_groups g ON g.group_id = w.group_id
WHERE w.run_id = $1 AND w.state IN ('failed', 'held', 'skipped', 'ok')
ORDER BY array_position(ARRAY['failed', 'held', 'skipped', 'ok'], w.state), w.position LIMIT $2
