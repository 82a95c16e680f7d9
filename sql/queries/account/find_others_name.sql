-- Whether another account than $1 has this name or address.
SELECT user_id FROM users WHERE (lower(name) = lower($2) OR lower(email) = lower($2)) AND user_id <> $1 LIMIT 1
