-- As fence_run, also while the run is to be cancelled: for what ends it. $1 run  $2 lease
SELECT state FROM schedule_runs WHERE run_id = $1 AND lease = $2 AND state IN ('running', 'cancelling') FOR UPDATE
