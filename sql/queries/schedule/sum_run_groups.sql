-- $1 run
SELECT (SELECT min(f.error_code) FROM schedule_run_groups f WHERE f.run_id = $1 AND f.state = 'failed') AS first_code,
       (SELECT max(f.error_code) FROM schedule_run_groups f WHERE f.run_id = $1 AND f.state = 'failed') AS last_code,
-- include: run_totals
FROM schedule_run_groups g WHERE g.run_id = $1
