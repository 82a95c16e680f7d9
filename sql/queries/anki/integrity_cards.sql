-- plan: free
-- What Anki's check would find in cards. $3: filtered decks, $4: cloze notetypes, $5: ids from here on are in the future. A
-- card with several bad values counts several times, as there.
SELECT count(*) FILTER (WHERE c.type = 0 AND c.queue <> 4 AND c.due >= 2000000) AS high_positions,
       count(*) FILTER (WHERE c.queue = 2 AND c.due > 100000)
       + count(*) FILTER (WHERE c.original_due > 0 AND (c.type = 1 OR c.queue = 2) AND c.original_deck_id = 0)
       + count(*) FILTER (WHERE c.interval NOT BETWEEN 0 AND 2147483647)
       + count(*) FILTER (WHERE c.ord NOT BETWEEN 0 AND 30000)
       + count(*) FILTER (WHERE c.original_deck_id > 0 AND NOT c.deck_id = ANY ($3::bigint[])) AS bad_values,
       count(*) FILTER (WHERE n.id IS NULL) AS without_note,
       count(DISTINCT c.deck_id) FILTER (WHERE d.id IS NULL) AS missing_decks,
       count(*) FILTER (WHERE c.ord >= t.template_count AND NOT t.id = ANY ($4::bigint[])) AS without_template,
       count(*) FILTER (WHERE c.id > $5::bigint) AS in_future
  FROM anki_cards c
  LEFT JOIN anki_notes n ON n.user_id = $1 AND n.generation = $2 AND n.id = c.note_id
  LEFT JOIN anki_objects t ON t.user_id = $1 AND t.generation = $2 AND t.kind = 0 AND t.id = n.notetype_id
  LEFT JOIN anki_objects d ON d.user_id = $1 AND d.generation = $2 AND d.kind = 1 AND d.id = c.deck_id
 WHERE c.user_id = $1 AND c.generation = $2
