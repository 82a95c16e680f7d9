UPDATE schedule_feeds SET name = coalesce($3::text, name), subgroup = coalesce($4::int, subgroup), changed_at = now()
WHERE user_id = $1 AND feed_id = $2
