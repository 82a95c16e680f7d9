-- The counters after a change of its cards. $1 deck  $2 version  $3 end of the log  $4 next ordinal  $5 cards  $6 hash  $7 bytes of texts
-- that were added
UPDATE decks SET version = $2, head_seq = $3, next_ord = $4, card_count = $5, content_hash = $6, text_bytes = text_bytes + $7,
  updated_at = now()
WHERE deck_id = $1
