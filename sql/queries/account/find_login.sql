-- The account for a login. users is a shared table: this maps a name to a user_id.
SELECT user_id, password_hash, is_disabled, is_admin FROM users WHERE lower(name) = lower($1)
