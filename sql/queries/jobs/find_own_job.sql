-- A job as the caller may see it: $2 the account, $3 whether it is an administrator, $4 the device it uses: a stream
-- of events must end when that is revoked.
SELECT job_id, kind, state, attempts, cancel_requested, progress_done, progress_total, progress_message, created_at,
       started_at, finished_at
FROM jobs
WHERE job_id = $1 AND (user_id = $2 OR is_shared OR $3)
  AND EXISTS (SELECT FROM devices WHERE user_id = $2 AND device_id = $4 AND revoked_at IS NULL)
