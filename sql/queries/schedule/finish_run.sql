-- Totals come from the groups, never from memory. $1 run  $2 lease  $3 state  $4 error code or null  $5 detail or null
UPDATE schedule_runs SET state = $3, error_code = $4, error_detail = $5, finished_at = clock_timestamp(),
       heartbeat_at = clock_timestamp(), phase = '', current_group = '', groups_total = t.total,
       groups_done = t.done, groups_updated = t.updated, groups_unchanged = t.unchanged, groups_failed = t.failed,
       groups_held = t.held, groups_skipped = t.skipped, lessons_added = t.added, lessons_changed = t.changed,
       lessons_removed = t.removed, warnings = schedule_runs.warnings + t.warnings + t.held
FROM (
  SELECT
-- include: run_totals
  FROM schedule_run_groups g WHERE g.run_id = $1) t
WHERE run_id = $1 AND lease = $2 AND state IN ('running', 'cancelling')
RETURNING run_id
