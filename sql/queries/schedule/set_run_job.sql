-- $1 run  $2 job
UPDATE schedule_runs SET job_id = $2 WHERE run_id = $1
