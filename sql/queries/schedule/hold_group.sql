-- $1 group  $2 run or null
INSERT INTO schedule_group_states (group_id, held_since, held_run_id) VALUES ($1, clock_timestamp(), $2)
ON CONFLICT (group_id) DO UPDATE SET page_hash = NULL,
       held_since = coalesce(schedule_group_states.held_since, excluded.held_since),
       held_run_id = CASE WHEN schedule_group_states.held_since IS NULL THEN excluded.held_run_id
                          ELSE schedule_group_states.held_run_id END
