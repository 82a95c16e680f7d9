-- The account for a login with a name or an e-mail address; an address cannot be another account's name
-- (lock_names); if it were, the name would take precedence. users is a shared table: this maps a name to a
-- user_id.
SELECT user_id, password_hash, is_disabled, is_admin FROM users WHERE lower(name) = lower($1) OR lower(email) = lower($1)
ORDER BY lower(name) = lower($1) DESC LIMIT 1
