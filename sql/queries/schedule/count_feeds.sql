-- Counts live feeds. Locks the account, so that two concurrent requests cannot exceed the limit.
SELECT (SELECT count(*) FROM schedule_feeds WHERE user_id = $1) AS feeds
FROM users WHERE user_id = $1 FOR NO KEY UPDATE
