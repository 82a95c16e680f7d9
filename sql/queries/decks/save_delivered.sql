-- Arrays by note, without those that another delivery of the account has. The caller has locked the collection.
-- $1 deck  $2 account  $3 guids  $4 states  $5 adopted (1: yes)  $6 hashes  $7 fields  $8 tags  $9 older tags
INSERT INTO decks_delivered_notes AS n (deck_id, user_id, guid, state, is_adopted, hash, fields, tags, older_tags)
SELECT $1, $2, u.guid, u.state, u.is_adopted = 1, u.hash, u.fields, u.tags, u.older_tags
FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::text[], $8::text[], $9::text[])
  AS u (guid, state, is_adopted, hash, fields, tags, older_tags)
WHERE NOT EXISTS (SELECT FROM decks_deliveries d
                  CROSS JOIN LATERAL (SELECT FROM decks_delivered_notes o
                                      WHERE o.deck_id = d.deck_id AND o.user_id = d.user_id AND o.guid = u.guid LIMIT 1) AS o
                  WHERE d.user_id = $2 AND d.deck_id <> $1)
ON CONFLICT (deck_id, user_id, guid) DO UPDATE SET state = excluded.state, hash = excluded.hash, fields = excluded.fields,
  tags = excluded.tags, older_tags = excluded.older_tags
