-- For an account without a collection: there is no other row that two first devices could meet at. Nothing when the
-- account is disabled, as it is while it is being removed.
SELECT user_id FROM users WHERE user_id = $1 AND NOT is_disabled FOR NO KEY UPDATE
