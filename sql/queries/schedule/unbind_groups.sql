-- Frees numbers before they go to other groups, because two groups may have swapped theirs. $1 numbers of the
-- site $2 groups that keep theirs
UPDATE schedule_groups SET upstream_id = NULL, updated_at = clock_timestamp()
WHERE upstream_id = ANY ($1::int[]) AND group_id <> ALL ($2::int[])
