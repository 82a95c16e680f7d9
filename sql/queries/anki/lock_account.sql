-- For an account without a collection: there is no other row that two first devices could meet at.
SELECT user_id FROM users WHERE user_id = $1 FOR NO KEY UPDATE
