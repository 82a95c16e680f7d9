-- For an account without a collection, which has no other row to lock when two devices create it at the same time.
-- Returns no row if the account is disabled, as it is while it is being removed.
SELECT user_id FROM users WHERE user_id = $1 AND NOT is_disabled FOR NO KEY UPDATE
