-- Marks groups as listed in an index. $1 groups
UPDATE schedule_groups SET last_seen_at = clock_timestamp(), missing_count = 0, is_active = true
WHERE group_id = ANY ($1::int[])
