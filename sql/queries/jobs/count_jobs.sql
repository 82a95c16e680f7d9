-- How many jobs are in each unfinished state, and dead; done and cancelled ones would have to be counted one by one.
SELECT state, count(*) AS jobs, min(run_at) AS oldest_at FROM jobs
WHERE state IN ('waiting', 'queued', 'running', 'dead') GROUP BY state ORDER BY state
