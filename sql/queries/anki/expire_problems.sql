-- Deletes expired reports of all accounts in one statement: an account has few.
DELETE FROM anki_problems WHERE happened_at < now() - make_interval(days => $1)
