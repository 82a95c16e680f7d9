-- The pending ones that say the same. $1 deck  $2 account; of each: $3 guid  $4 kind  $5 field  $6 hash of its value
SELECT n.place, s.suggestion_no
FROM unnest($3::text[], $4::text[], $5::text[], $6::bytea[]) WITH ORDINALITY AS n (guid, kind, field, hash, place)
JOIN decks_suggestions s ON s.deck_id = $1 AND s.user_id = $2 AND s.guid = n.guid AND s.kind = n.kind AND s.field = n.field
  AND s.value_hash = n.hash AND s.state = 'pending'
