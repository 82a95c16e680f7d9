-- Records since when indexes have mostly unknown names. $1 whether this one has
UPDATE schedule_site SET foreign_since = CASE WHEN $1::boolean THEN coalesce(foreign_since, clock_timestamp()) END
WHERE site_id = 1
RETURNING foreign_since < clock_timestamp() - interval '3 days' AS is_for_long
