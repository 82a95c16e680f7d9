-- Tombstones that no client asks for any more. $1 how many
DELETE FROM decks WHERE deck_id = ANY (ARRAY(
  SELECT t.deck_id FROM decks t WHERE t.deleted_at < now() - interval '30 days' LIMIT $1))
