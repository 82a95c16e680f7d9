-- The heartbeat, with progress. No row: the run is no longer this worker's. The setting is as in fence_run.
-- $1 run  $2 lease  $3 phase  $4 group in hand
UPDATE schedule_runs SET heartbeat_at = clock_timestamp(), phase = $3, current_group = $4,
       groups_done = t.done, groups_updated = t.updated, groups_unchanged = t.unchanged, groups_failed = t.failed,
       groups_held = t.held, lessons_added = t.added, lessons_changed = t.changed, lessons_removed = t.removed
FROM (
  SELECT
-- include: run_totals
  FROM schedule_run_groups g WHERE g.run_id = $1) t
WHERE run_id = $1 AND lease = $2 AND state IN ('running', 'cancelling')
RETURNING state, set_config('idle_in_transaction_session_timeout', '5000', true)
