-- Replaced collections past their retention time, of all accounts.
SELECT user_id, generation FROM anki_history WHERE replaced_at < now() - make_interval(days => $1)
 ORDER BY replaced_at LIMIT $2
