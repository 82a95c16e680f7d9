-- Cards that are there, in the order of their arrival: the first ones up to the limits. $1 deck  $2 after this ordinal
-- $3 how many  $4 bytes, which only the last card exceeds
SELECT p.guid, p.ord, p.note_type, p.fields, p.tags, p.subdeck_path, p.updated_at
FROM (SELECT n.*, sum(octet_length(n.fields)) OVER (ORDER BY n.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
      FROM (SELECT guid, ord, note_type, fields, tags, subdeck_path, updated_at
            FROM decks_cards WHERE deck_id = $1 AND ord > $2 AND removed_seq IS NULL ORDER BY ord LIMIT $3) n) p
WHERE coalesce(p.bytes_before, 0) < $4::bigint
ORDER BY p.ord
