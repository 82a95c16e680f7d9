UPDATE schedule_feeds SET last_used_at = now() WHERE user_id = $1 AND feed_id = $2
