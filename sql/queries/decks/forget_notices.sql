-- Notices that were seen long ago. $1 days  $2 how many
DELETE FROM decks_notices WHERE ctid = ANY (ARRAY(
  SELECT n.ctid FROM decks_notices n WHERE n.read_at < now() - make_interval(days => $1::int) LIMIT $2))
