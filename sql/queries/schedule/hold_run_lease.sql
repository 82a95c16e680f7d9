-- As fence_run, but also while the run is being cancelled, for the statement that ends it. $1 run $2 lease
SELECT state FROM schedule_runs WHERE run_id = $1 AND lease = $2 AND state IN ('running', 'cancelling') FOR UPDATE
