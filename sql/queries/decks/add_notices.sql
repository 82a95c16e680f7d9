-- Those for accounts that are gone are left out. Of each: $1 account  $2 type  $3 title  $4 message  $5 deck, or ''  $6 metadata
INSERT INTO decks_notices (user_id, type, title, message, deck_public_id, metadata, created_at)
SELECT u.user_id, n.type, n.title, n.message, nullif(n.deck, '')::uuid, n.metadata, clock_timestamp()
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
     WITH ORDINALITY AS n (user_id, type, title, message, deck, metadata, place)
JOIN users u ON u.user_id = n.user_id
ORDER BY n.place
