-- Claims the next jobs for a worker. Serialized by begin_claim. Touches a few rows of each queue, however
-- long it is.
-- $1 worker  $2 threads free  $3 lease in milliseconds
-- $4 kinds  $5 their max_running (0: no limit)  $6 their max_attempts  $7 their jobs claimed ahead per thread
-- $8 how many may begin (0: any number)  $9 in how many milliseconds
WITH RECURSIVE kinds AS (
  SELECT kind, max_running, max_attempts, greatest(batch, 1) AS batch, rate_count, rate_ms * interval '1 millisecond' AS rate_time
  FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
    AS k(kind, max_running, max_attempts, batch, rate_count, rate_ms)
), begun AS MATERIALIZED (   -- by kinds with a rate, so recently that it counts
  SELECT k.kind, s.at FROM kinds k JOIN job_rates r ON r.kind = k.kind CROSS JOIN LATERAL unnest(r.starts) AS s(at)
  WHERE k.rate_count > 0 AND s.at > clock_timestamp() - k.rate_time
), running AS MATERIALIZED (
  SELECT j.kind, coalesce(j.user_id, 0) AS account, count(*) AS jobs
  FROM jobs j WHERE j.state = 'running' GROUP BY 1, 2
), account_load AS MATERIALIZED (   -- in threads
  SELECT r.account, sum(r.jobs::float8 / coalesce(k.batch, 1)) AS load
  FROM running r LEFT JOIN kinds k ON k.kind = r.kind GROUP BY 1
), share AS (   -- an account gets more than half of all threads only while no other one waits
  SELECT greatest(sum(w.threads) / 2.0, 1) AS threads FROM workers w WHERE w.seen_at > now() - interval '1 minute'
), queues AS (   -- every (kind, priority) with queued jobs, one index probe each
  (SELECT j.kind, j.priority FROM jobs j WHERE j.state = 'queued' ORDER BY j.kind, j.priority LIMIT 1)
  UNION ALL
  SELECT n.kind, n.priority FROM queues q CROSS JOIN LATERAL (
    SELECT j.kind, j.priority FROM jobs j
    WHERE j.state = 'queued' AND (j.kind, j.priority) > (q.kind, q.priority)
    ORDER BY j.kind, j.priority LIMIT 1) n
), open AS MATERIALIZED (
  SELECT k.kind, q.priority, k.batch, k.max_attempts,
         least(CASE WHEN k.max_running = 0 THEN 1000000
                    ELSE k.max_running - coalesce((SELECT sum(r.jobs) FROM running r WHERE r.kind = k.kind), 0) END,
               CASE WHEN k.rate_count = 0 THEN 1000000
                    ELSE k.rate_count - (SELECT count(*) FROM begun b WHERE b.kind = k.kind) END) AS room
  FROM queues q JOIN kinds k ON k.kind = q.kind
), heads AS (   -- more than can be taken: jobs of an account over its share yield to others
  SELECT h.state, o.kind, o.batch, o.max_attempts, o.room, o.priority, h.job_id, h.account, h.run_at,
         h.turn - min(h.turn) OVER (PARTITION BY o.kind, o.priority) AS turn
  FROM open o CROSS JOIN LATERAL (
    SELECT j.state, j.job_id, coalesce(j.user_id, 0) AS account, j.run_at, j.turn FROM jobs j
    WHERE j.state = 'queued' AND j.kind = o.kind AND j.priority = o.priority
    ORDER BY j.turn, j.job_id LIMIT $2::bigint * o.batch + 64) h
  WHERE o.room > 0
), loaded AS (
  SELECT h.*, coalesce((SELECT a.load FROM account_load a WHERE a.account = h.account), 0)
              + sum(1.0::float8 / h.batch) OVER (PARTITION BY h.account ORDER BY h.priority DESC, h.turn, h.job_id) AS load
  FROM heads h
), ordered AS (
  SELECT l.*, row_number() OVER (
    ORDER BY l.load > (SELECT threads FROM share), l.priority DESC, ceil(l.load - 0.001), l.turn, l.run_at, l.job_id) AS place
  FROM loaded l
), admitted AS (
  SELECT o.*, row_number() OVER (PARTITION BY o.kind ORDER BY o.place) AS kind_place FROM ordered o
), weighed AS (
  SELECT a.state, a.job_id, a.kind, a.max_attempts, a.place, sum(1.0::float8 / a.batch) OVER (ORDER BY a.place) AS threads
  FROM admitted a WHERE a.kind_place <= a.room
), chosen AS MATERIALIZED (
  SELECT j.job_id, w.kind, w.max_attempts, w.place
  FROM weighed w JOIN jobs j ON j.job_id = w.job_id
  WHERE w.threads <= $2::bigint + 0.001 AND j.state = w.state   -- still queued; see plan_by_index
  FOR UPDATE OF j SKIP LOCKED   -- a locked job is being cancelled
), counted AS (
  INSERT INTO job_rates (kind, starts)
  SELECT k.kind, ARRAY(SELECT b.at FROM begun b WHERE b.kind = k.kind ORDER BY b.at)
                 || array_fill(clock_timestamp(), ARRAY[count(*)::int])
  FROM chosen c JOIN kinds k ON k.kind = c.kind WHERE k.rate_count > 0 GROUP BY k.kind
  ON CONFLICT (kind) DO UPDATE SET starts = excluded.starts
)
UPDATE jobs SET state = 'running', lease = jobs.lease + 1, worker = $1, heartbeat_at = now(), started_at = clock_timestamp(),
       lease_expires_at = clock_timestamp() + $3::bigint * interval '1 millisecond',
       attempts = jobs.attempts + 1, max_attempts = c.max_attempts,
       progress_done = 0, progress_total = 0, progress_message = ''
FROM chosen c WHERE jobs.job_id = c.job_id
RETURNING jobs.job_id, jobs.kind, jobs.user_id, jobs.args, jobs.attempts, jobs.lease, c.place
