-- $2 whether the group changes  $3 group or null  $4 subgroup, first and last name, or null to keep each
INSERT INTO schedule_profiles AS p (user_id, group_id, subgroup, first_name, last_name)
VALUES ($1, CASE WHEN $2::boolean THEN $3::int END, coalesce($4::int, 0), coalesce($5::text, ''), coalesce($6::text, ''))
ON CONFLICT (user_id) DO UPDATE
SET group_id = CASE WHEN $2 THEN $3 ELSE p.group_id END, subgroup = coalesce($4, p.subgroup),
    first_name = coalesce($5, p.first_name), last_name = coalesce($6, p.last_name), updated_at = now()
