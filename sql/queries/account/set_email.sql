-- Also changes the name if that was the address.
UPDATE users SET email = $2, name = CASE WHEN lower(name) = lower(email) THEN $2 ELSE name END WHERE user_id = $1
