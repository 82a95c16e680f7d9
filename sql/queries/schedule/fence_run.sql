-- No row: another worker has the run, or it is to be cancelled, or it has ended. Keeps the run until the transaction ends:
-- nobody takes it over in between, for five seconds if the network has lost this worker. $1 run  $2 lease
UPDATE schedule_runs SET heartbeat_at = clock_timestamp() WHERE run_id = $1 AND lease = $2 AND state = 'running'
RETURNING run_id, set_config('idle_in_transaction_session_timeout', '5000', true)
