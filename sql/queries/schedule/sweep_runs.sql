-- $1 days  $2 limit
DELETE FROM schedule_runs WHERE run_id IN (
  SELECT run_id FROM schedule_runs
  WHERE started_at < now() - $1::bigint * interval '1 day' AND finished_at IS NOT NULL ORDER BY started_at LIMIT $2 FOR UPDATE SKIP LOCKED)
