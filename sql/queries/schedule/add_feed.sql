INSERT INTO schedule_feeds (user_id, token_hash, sealed_token, kind, target_id, subgroup, name)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING feed_id, created_at
