-- Serializes the logins of an account, or two could both find room under the device limit. No row: the
-- password was changed, or the account disabled, since the check. Not FOR UPDATE: inserts of rows that
-- reference the user need not wait.
SELECT user_id FROM users WHERE user_id = $1 AND password_hash = $2 AND NOT is_disabled FOR NO KEY UPDATE
