-- Moves due waiting jobs to their queues. They get their turns now, as in enqueue_job: an older turn may be
-- far behind or ahead of the queue by now.
-- $1 limit
WITH due AS MATERIALIZED (
  SELECT j.job_id, j.kind, j.priority, coalesce(j.user_id, 0) AS account, j.run_at
  FROM jobs j WHERE j.state = 'waiting' AND j.run_at <= clock_timestamp()
  ORDER BY j.run_at LIMIT $1 FOR UPDATE SKIP LOCKED
), queues AS MATERIALIZED (
  SELECT d.kind, d.priority, d.account, greatest(
    coalesce((SELECT h.turn FROM jobs h WHERE h.state = 'queued' AND h.kind = d.kind AND h.priority = d.priority
              ORDER BY h.turn, h.job_id LIMIT 1), 0),
    coalesce((SELECT l.turn FROM jobs l
              WHERE l.state = 'queued' AND l.kind = d.kind AND l.priority = d.priority
                AND coalesce(l.user_id, 0) = d.account
              ORDER BY -l.turn LIMIT 1) + 1, 0)) AS turn
  FROM (SELECT DISTINCT kind, priority, account FROM due) d
), placed AS (
  SELECT d.job_id, q.turn - 1 + row_number() OVER (PARTITION BY d.kind, d.priority, d.account ORDER BY d.run_at, d.job_id) AS turn
  FROM due d JOIN queues q ON q.kind = d.kind AND q.priority = d.priority AND q.account = d.account
)
UPDATE jobs SET state = 'queued', turn = placed.turn FROM placed WHERE jobs.job_id = placed.job_id
