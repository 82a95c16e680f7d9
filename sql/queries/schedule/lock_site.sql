SELECT good_groups, small_since IS NOT NULL AND small_since < now() - interval '3 days' AS is_small_for_long FROM schedule_site
WHERE site_id = 1 FOR UPDATE
