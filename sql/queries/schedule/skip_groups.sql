-- Marks the groups that a run did not reach. $1 run
UPDATE schedule_run_groups SET state = 'skipped', finished_at = clock_timestamp() WHERE run_id = $1 AND state = 'pending'
