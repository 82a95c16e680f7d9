-- Numbered from $2 on. $1 deck  $3 account; of each: $4 guid  $5 kind  $6 field  $7 base  $8 value  $9 hash  $10 reason  $11 version it
-- was made for, or 0
INSERT INTO decks_suggestions (deck_id, suggestion_no, user_id, guid, kind, field, base_value, value, value_hash, reason, base_version)
SELECT $1, $2::bigint + n.place - 1, $3, n.guid, n.kind, n.field, n.base, n.value, n.hash, n.reason, nullif(n.version, 0)
FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::text[], $11::bigint[])
     WITH ORDINALITY AS n (guid, kind, field, base, value, hash, reason, version, place)
