-- plan: free
-- See integrity_cards. $3: ids from here on are in the future.
SELECT count(*) FILTER (WHERE length(n.fields) - length(replace(n.fields, E'\x1f', '')) + 1 <> t.field_count) AS wrong_fields,
       count(DISTINCT n.notetype_id) FILTER (WHERE t.id IS NULL) AS missing_notetypes,
       count(*) FILTER (WHERE n.id > $3::bigint) AS in_future
  FROM anki_notes n
  LEFT JOIN anki_objects t ON t.user_id = $1 AND t.generation = $2 AND t.kind = 0 AND t.id = n.notetype_id
 WHERE n.user_id = $1 AND n.generation = $2
