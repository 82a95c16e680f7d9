-- A worker claims the run; its previous worker can no longer write. No row: it has ended. $1 run
UPDATE schedule_runs SET state = CASE WHEN state = 'cancelling' THEN state ELSE 'running' END, lease = lease + 1,
       claimed_at = coalesce(claimed_at, clock_timestamp()), heartbeat_at = clock_timestamp()
WHERE run_id = $1 AND state IN ('queued', 'running', 'cancelling')
RETURNING lease, kind, trigger, group_id, state, phase, claimed_at
