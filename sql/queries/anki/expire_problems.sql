-- Reports past the retention time, over all accounts: of each there are few.
DELETE FROM anki_problems WHERE happened_at < now() - make_interval(days => $1)
