-- The account's profile in this service, with its group.
SELECT p.group_id, p.subgroup, p.first_name, p.last_name, p.updated_at, g.name AS group_name
FROM schedule_profiles p LEFT JOIN schedule_groups g ON g.group_id = p.group_id
WHERE p.user_id = $1
