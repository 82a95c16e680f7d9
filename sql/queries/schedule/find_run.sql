-- $1 run
SELECT
-- include: run_columns
FROM schedule_runs r WHERE r.run_id = $1
