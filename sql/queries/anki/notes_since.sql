-- A page ends after $6 notes or, since notes can be large, once their fields reach $7 bytes; it has at least one note.
-- Omits the notes that the session with fence $8 has deleted: see cards_since. Fields of more than $9 bytes are NULL.
SELECT id, guid, notetype_id, mod, usn, tags, CASE WHEN octet_length(fields) <= $9::bigint THEN fields END AS fields
  FROM (SELECT id, guid, notetype_id, mod, usn, tags, fields,
               sum(octet_length(fields)) OVER (ORDER BY usn, id) - octet_length(fields) AS bytes_before
          FROM (SELECT id, guid, notetype_id, mod, usn, tags, fields
                  FROM anki_notes n WHERE user_id = $1 AND generation = $2 AND usn >= $3 AND (usn, id) > ($4, $5)
                   AND ($8::bigint = 0 OR (SELECT g.id FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $8 AND g.kind = 1 AND g.id = n.id) IS NULL)
                 ORDER BY usn, id LIMIT $6) AS page) AS counted
 WHERE bytes_before < $7::bigint ORDER BY usn, id
