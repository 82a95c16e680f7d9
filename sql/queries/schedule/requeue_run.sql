-- The worker shuts down; the next one continues with the pending groups. $1 run $2 lease
UPDATE schedule_runs SET state = 'queued', heartbeat_at = clock_timestamp(), current_group = ''
WHERE run_id = $1 AND lease = $2 AND state = 'running'
