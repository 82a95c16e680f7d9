DELETE FROM decks_positions WHERE seen_at < now() - make_interval(days => $1::int)
