-- The index is read; the run continues with the groups. $1 run $2 lease $3 warnings
UPDATE schedule_runs SET phase = 'groups', warnings = $3, heartbeat_at = clock_timestamp(),
       groups_total = (SELECT count(*) FROM schedule_run_groups g WHERE g.run_id = $1)
WHERE run_id = $1 AND lease = $2 AND state = 'running'
RETURNING groups_total
