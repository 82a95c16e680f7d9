-- No row: another worker has the run, its cancellation was requested, or it has ended. Locks the run until
-- the transaction ends, so that no other worker claims it in between; for five seconds if the network has
-- lost this worker. $1 run $2 lease
UPDATE schedule_runs SET heartbeat_at = clock_timestamp() WHERE run_id = $1 AND lease = $2 AND state = 'running'
RETURNING run_id, set_config('idle_in_transaction_session_timeout', '5000', true)
