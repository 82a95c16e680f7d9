-- Adds a job, or returns the unfinished one with its unique key; wakes the workers on commit.
-- No row: another job with this key was added after this statement began, or has just finished. Retry.
-- $1 kind  $2 user or null  $3 args  $4 unique key or null  $5 priority  $6 delay in milliseconds  $7 is_shared
--
-- The turn is the next after the account's last in this queue, but not before the head: an account that comes
-- late is placed next to the others' first jobs, not behind their backlog.
WITH added AS (
  INSERT INTO jobs (kind, user_id, args, unique_key, priority, state, run_at, turn, is_shared)
  SELECT $1::text, $2::bigint, $3::text, $4::text, $5::int,
         CASE WHEN $6::bigint > 0 THEN 'waiting' ELSE 'queued' END,
         clock_timestamp() + $6::bigint * interval '1 millisecond',
         CASE WHEN $6::bigint > 0 THEN 0 ELSE greatest(
           coalesce((SELECT h.turn FROM jobs h WHERE h.state = 'queued' AND h.kind = $1 AND h.priority = $5
                     ORDER BY h.turn, h.job_id LIMIT 1), 0),
           coalesce((SELECT l.turn FROM jobs l
                     WHERE l.state = 'queued' AND l.kind = $1 AND l.priority = $5
                       AND coalesce(l.user_id, 0) = coalesce($2::bigint, 0)
                     ORDER BY -l.turn LIMIT 1) + 1, 0)) END,
         $7::boolean
  ON CONFLICT DO NOTHING
  RETURNING job_id, state
), woken AS (
  SELECT pg_notify('syncline_jobs', '') FROM added WHERE state = 'queued'
)
SELECT job_id, true AS is_new, (SELECT count(*) FROM woken) AS woken FROM added
UNION ALL
SELECT job_id, false, 0 FROM jobs
WHERE $4::text IS NOT NULL AND kind = $1 AND coalesce(user_id, 0) = coalesce($2::bigint, 0) AND unique_key = $4
  AND state IN ('waiting', 'queued', 'running') AND NOT EXISTS (SELECT FROM added)
