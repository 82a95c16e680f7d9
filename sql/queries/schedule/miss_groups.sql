-- Groups that a complete index does not list become inactive after $2 such indexes in a row. $1 groups that
-- are listed
UPDATE schedule_groups SET missing_count = missing_count + 1, is_active = missing_count + 1 < $2,
       updated_at = clock_timestamp()
WHERE is_active AND group_id <> ALL ($1::int[])
RETURNING group_id, is_active
