-- Adds or replaces cards. $1 deck  $2 version; of each card: $3 guid  $4 ordinal, if new  $5 note type  $6 fields  $7 tags  $8 path
-- $9 hash  $10 its entry 'add', or 0 to keep it  $11 its entry 'delete', or 0  $12 1 if it is removed to begin anew  $13 key of its
-- first field, or 0
WITH before AS (
  SELECT coalesce(sum(decks_row_bytes(c.fields, c.tags)), 0) AS bytes FROM decks_cards c WHERE c.deck_id = $1 AND c.guid = ANY ($3::text[])
), saved AS (
  INSERT INTO decks_cards (deck_id, guid, ord, note_type, fields, tags, subdeck_path, hash, version, added_seq, removed_seq, is_cleared,
                           first_key)
  SELECT $1, n.guid, n.ord, n.note_type, n.fields, n.tags, n.path, n.hash, $2, n.added_seq, nullif(n.removed_seq, 0), n.is_cleared = 1,
         nullif(n.first_key, 0)
  FROM unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bigint[], $11::bigint[],
              $12::bigint[], $13::bigint[])
       AS n (guid, ord, note_type, fields, tags, path, hash, added_seq, removed_seq, is_cleared, first_key)
  ON CONFLICT (deck_id, guid) DO UPDATE SET note_type = excluded.note_type, fields = excluded.fields, tags = excluded.tags,
    subdeck_path = excluded.subdeck_path, hash = excluded.hash, version = excluded.version,
    added_seq = coalesce(nullif(excluded.added_seq, 0), decks_cards.added_seq), removed_seq = excluded.removed_seq,
    is_cleared = excluded.is_cleared, first_key = excluded.first_key, updated_at = now()
  RETURNING decks_row_bytes(fields, tags) AS bytes
)
SELECT ((SELECT sum(bytes) FROM saved) - before.bytes)::bigint AS growth FROM before
