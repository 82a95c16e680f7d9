-- Forgets finished jobs. $1 seconds that done ones are kept  $2 seconds that dead and cancelled ones are  $3 at most
DELETE FROM jobs WHERE job_id IN (
  SELECT j.job_id FROM jobs j
  WHERE j.finished_at IS NOT NULL AND j.finished_at < now() - $1::bigint * interval '1 second'
    AND (j.state = 'done' OR j.finished_at < now() - $2::bigint * interval '1 second')
  ORDER BY j.finished_at LIMIT $3 FOR UPDATE SKIP LOCKED)
