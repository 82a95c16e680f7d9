-- One login of an account at a time, or two would both find room under the limit of devices. No row: the password was
-- changed or the account disabled since it was checked. Not FOR UPDATE: rows that refer to the user need not wait.
SELECT user_id FROM users WHERE user_id = $1 AND password_hash = $2 AND NOT is_disabled FOR NO KEY UPDATE
