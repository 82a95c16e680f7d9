-- An account by its name or address, to make it a maintainer. $1 name
SELECT user_id FROM users WHERE lower(name) = lower($1) OR lower(email) = lower($1) LIMIT 1
