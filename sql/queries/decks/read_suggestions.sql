-- Suggestions in the given order. Cards and titles only of decks that the account may read. Of each: $1 deck  $2 number  $3 1: may read
SELECT k.fields, k.tags, k.guid IS NOT NULL AND k.removed_seq IS NULL AS is_there, d.deck_id, d.public_id::text,
  CASE WHEN n.may_read = 1 THEN d.title ELSE '' END AS title,
-- include: suggestion_columns
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS n (deck_id, number, may_read, place)
JOIN decks_suggestions s ON s.deck_id = n.deck_id AND s.suggestion_no = n.number
JOIN decks d ON d.deck_id = n.deck_id
LEFT JOIN decks_cards k ON n.may_read = 1 AND k.deck_id = s.deck_id AND k.guid = s.guid
ORDER BY n.place
