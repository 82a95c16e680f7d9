-- Live ones. Locks the account, so that two requests at once cannot add one too many.
SELECT (SELECT count(*) FROM schedule_feeds WHERE user_id = $1) AS feeds
FROM users WHERE user_id = $1 FOR NO KEY UPDATE
