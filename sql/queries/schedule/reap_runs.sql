-- Runs without a live worker: it was killed, or hangs, or there is none. $1 seconds without a heartbeat after
-- which a run is dead $2 seconds that one may wait for a worker
--
-- A worker that shut down cleanly has put its run back to 'queued'. The job of a killed worker loses its
-- lease; the job then goes to another worker, which decides (handlers/schedule/runs/run_flow.cpp). A hung
-- loop keeps its job, but sends no heartbeat.
WITH lost AS MATERIALIZED (
  SELECT r.run_id, r.state,
         coalesce((SELECT j.state FROM jobs j WHERE j.job_id = r.job_id), 'gone') AS job_state,
         coalesce((SELECT j.lease_expires_at > clock_timestamp() FROM jobs j WHERE j.job_id = r.job_id), false) AS is_leased
  FROM schedule_runs r
  WHERE r.state IN ('queued', 'running', 'cancelling')
    AND (r.job_id IS NOT NULL OR r.started_at < clock_timestamp() - interval '1 minute')
  ORDER BY r.run_id FOR UPDATE SKIP LOCKED
), ended AS (
  SELECT l.run_id,
         CASE WHEN l.job_state = 'cancelled' OR l.state = 'cancelling' THEN 'cancelled'
              WHEN l.state = 'queued' AND l.job_state NOT IN ('done', 'dead', 'gone') THEN 'failed'
              ELSE 'interrupted' END AS state,
         CASE WHEN l.job_state = 'cancelled' OR l.state = 'cancelling' THEN 'cancelled'
              WHEN l.state = 'queued' AND l.job_state NOT IN ('done', 'dead', 'gone') THEN 'no_worker'
              ELSE 'interrupted' END AS code
  FROM lost l JOIN schedule_runs r ON r.run_id = l.run_id
  WHERE l.job_state IN ('done', 'dead', 'cancelled', 'gone')
     OR l.state <> 'queued' AND coalesce(r.heartbeat_at, r.claimed_at, r.started_at) < clock_timestamp() - $1::bigint * interval '1 second'
     OR l.state = 'queued' AND NOT l.is_leased
        AND coalesce(r.heartbeat_at, r.started_at) < clock_timestamp() - $2::bigint * interval '1 second'
)
UPDATE schedule_runs SET state = e.state, error_code = e.code, finished_at = clock_timestamp(), phase = '', current_group = '',
       groups_done = t.done, groups_updated = t.updated, groups_unchanged = t.unchanged, groups_failed = t.failed,
       groups_held = t.held, groups_skipped = t.skipped, lessons_added = t.added, lessons_changed = t.changed,
       lessons_removed = t.removed
FROM ended e CROSS JOIN LATERAL (
  SELECT
-- include: run_totals
  FROM schedule_run_groups g WHERE g.run_id = e.run_id) t
WHERE schedule_runs.run_id = e.run_id
RETURNING schedule_runs.run_id, schedule_runs.state
