-- Computers that have not called for long. $1 days
DELETE FROM decks_conflicts WHERE shown_at < now() - make_interval(days => $1::int)
