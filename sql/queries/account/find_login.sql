-- The account somebody wants to log in to. Shared table, by name: this is where a name becomes a user_id.
SELECT user_id, password_hash, is_disabled FROM users WHERE lower(name) = lower($1)
