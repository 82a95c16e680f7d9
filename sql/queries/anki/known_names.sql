-- All names of a kind, to find a free one after a clash; without the decks that this session deletes.
SELECT o.id, o.name_key FROM anki_objects o WHERE o.user_id = $1 AND o.generation = $2 AND o.kind = $4
   AND (o.kind <> 1 OR NOT EXISTS (SELECT FROM anki_staged_graves g
                                    WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 2 AND g.id = o.id))
