-- No row: the removal has begun.
UPDATE users SET deletes_at = now() + make_interval(days => $2::int) WHERE user_id = $1 AND NOT is_disabled
