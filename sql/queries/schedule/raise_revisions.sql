-- $1 groups, locked
UPDATE schedule_groups SET revision = revision + 1, changed_at = greatest(clock_timestamp(), changed_at),
       updated_at = clock_timestamp()
WHERE group_id = ANY ($1::int[])
