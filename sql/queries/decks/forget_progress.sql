-- Of accounts that have nothing to do with the deck any more. $1 days  $2 how many
DELETE FROM decks_progress WHERE ctid = ANY (ARRAY(
  SELECT p.ctid FROM decks_progress p
  WHERE p.synced_at < now() - make_interval(days => $1::int)
    AND
-- include: has_left
  LIMIT $2))
