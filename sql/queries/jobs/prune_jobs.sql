-- Deletes finished jobs. $1 retention of done ones in seconds  $2 of dead and cancelled ones, not below $1
-- $3 limit
DELETE FROM jobs WHERE job_id IN (
  SELECT j.job_id FROM jobs j
  WHERE j.finished_at IS NOT NULL AND j.finished_at < now() - $1::bigint * interval '1 second'
    AND (j.state = 'done' OR j.finished_at < now() - $2::bigint * interval '1 second')
  ORDER BY j.finished_at LIMIT $3 FOR UPDATE SKIP LOCKED)
