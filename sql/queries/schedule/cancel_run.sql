-- A queued run ends at once; a running one is asked to stop. No row: it has ended, or there is none. $1 run
UPDATE schedule_runs SET state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE 'cancelling' END,
       finished_at = CASE WHEN state = 'queued' THEN clock_timestamp() END,
       error_code = CASE WHEN state = 'queued' THEN 'cancelled' END
WHERE run_id = $1 AND state IN ('queued', 'running', 'cancelling')
RETURNING state
