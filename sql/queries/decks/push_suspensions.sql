-- States of cards that the deck has; -1: as it is. A card is buried until the next day. Returns those that have changed.
-- $1 deck  $2 account; of each: $3 guid  $4 card  $5 suspended: 1, 0, -1 as it is  $6 buried  $7 when it was set
WITH given AS (
  SELECT DISTINCT ON (n.guid, n.ord) n.guid, n.ord::int AS ord, n.suspended, n.buried, to_timestamp(n.at / 1000000.0) AS at
  FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]) WITH ORDINALITY AS n (guid, ord, suspended, buried, at, i)
  ORDER BY n.guid, n.ord, n.at DESC, n.i DESC
), wanted AS (
  SELECT g.guid, g.ord, g.at, CASE g.suspended WHEN -1 THEN coalesce(s.is_suspended, false) ELSE g.suspended = 1 END AS is_suspended,
         CASE g.buried WHEN -1 THEN coalesce(s.is_buried AND s.updated_at > now() - interval '1 day', false) ELSE g.buried = 1 END AS is_buried
  FROM given g
  LEFT JOIN decks_suspensions s ON s.deck_id = $1 AND s.user_id = $2 AND s.guid = g.guid AND s.card_ord = g.ord
  WHERE s.guid IS NULL OR g.at >= s.updated_at
)
INSERT INTO decks_suspensions (deck_id, user_id, guid, card_ord, is_suspended, is_buried, updated_at, received_at)
SELECT $1, $2, w.guid, w.ord, w.is_suspended, w.is_buried, w.at, clock_timestamp() FROM wanted w
ON CONFLICT (deck_id, user_id, guid, card_ord) DO UPDATE SET is_suspended = excluded.is_suspended, is_buried = excluded.is_buried,
  updated_at = excluded.updated_at, received_at = clock_timestamp()
WHERE excluded.updated_at >= decks_suspensions.updated_at
  AND (decks_suspensions.is_suspended, decks_suspensions.is_buried) IS DISTINCT FROM (excluded.is_suspended, excluded.is_buried)
RETURNING guid
