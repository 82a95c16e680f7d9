-- The last version whose changes all lie at or before this place in the log. $1 deck  $2 log
SELECT max(version) AS version FROM decks_releases WHERE deck_id = $1 AND version > 0 AND last_seq <= $2
