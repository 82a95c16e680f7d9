-- Cards as they are now, as part of this version. $1 deck  $2 version  $3 origin; of each card: $4 guid  $5 note type  $6 fields
-- $7 tags  $8 path  $9 hash  $10 1 if removed  $11 who
WITH before AS (
  SELECT coalesce(sum(decks_row_bytes(v.fields, v.tags)), 0) AS bytes FROM decks_card_versions v
  WHERE v.deck_id = $1 AND v.guid = ANY ($4::text[]) AND v.version = $2
), saved AS (
  INSERT INTO decks_card_versions (deck_id, guid, version, is_removed, note_type, fields, tags, subdeck_path, hash, user_id, origin)
  SELECT $1, n.guid, $2, n.is_removed = 1, n.note_type, n.fields, n.tags, n.path, n.hash, n.who, $3
  FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bigint[], $11::bigint[])
       AS n (guid, note_type, fields, tags, path, hash, is_removed, who)
  ON CONFLICT (deck_id, guid, version) DO UPDATE SET is_removed = excluded.is_removed, note_type = excluded.note_type,
    fields = excluded.fields, tags = excluded.tags, subdeck_path = excluded.subdeck_path, hash = excluded.hash,
    user_id = excluded.user_id, origin = excluded.origin, created_at = now()
  RETURNING decks_row_bytes(fields, tags) AS bytes
)
SELECT ((SELECT sum(bytes) FROM saved) - before.bytes)::bigint AS growth FROM before
