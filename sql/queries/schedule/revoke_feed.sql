DELETE FROM schedule_feeds WHERE user_id = $1 AND feed_id = $2
