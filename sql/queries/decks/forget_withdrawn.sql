-- Suggestions that were taken back long ago. $1 days  $2 how many
DELETE FROM decks_suggestions WHERE ctid = ANY (ARRAY(
  SELECT s.ctid FROM decks_suggestions s WHERE s.state = 'withdrawn' AND s.reviewed_at < now() - make_interval(days => $1::int) LIMIT $2))
