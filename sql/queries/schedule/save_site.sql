-- $1 groups of a complete index, or null: this one is not  $2 period  $3 days from our date to the site's
UPDATE schedule_site SET good_groups = coalesce($1::int, good_groups), period_text = $2, day_offset = $3, index_read_at = clock_timestamp(),
       small_since = CASE WHEN $1::int IS NULL THEN coalesce(small_since, clock_timestamp()) END
WHERE site_id = 1
