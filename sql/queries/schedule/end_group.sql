-- Records the outcome of one group, once. $1 run $2 group $3 state $4 attempts $5 HTTP status or null $6
-- milliseconds $7 found
-- $8 added  $9 changed  $10 removed  $11 warnings  $12 error code or null  $13 detail or null
UPDATE schedule_run_groups SET state = $3, attempts = $4, http_status = $5, took_ms = $6, found = $7, added = $8, changed = $9,
       removed = $10, warnings = $11, error_code = $12, error_detail = $13, finished_at = clock_timestamp()
WHERE run_id = $1 AND group_id = $2 AND state = 'pending'
