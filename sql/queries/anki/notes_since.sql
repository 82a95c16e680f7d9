-- A page ends after $6 notes or, since notes can be large, once their fields pass $7 bytes; it has at least one note.
SELECT id, guid, notetype_id, mod, usn, tags, fields
  FROM (SELECT id, guid, notetype_id, mod, usn, tags, fields,
               sum(octet_length(fields)) OVER (ORDER BY usn, id) - octet_length(fields) AS bytes_before
          FROM (SELECT id, guid, notetype_id, mod, usn, tags, fields
                  FROM anki_notes WHERE user_id = $1 AND generation = $2 AND usn >= $3 AND (usn, id) > ($4, $5)
                 ORDER BY usn, id LIMIT $6) AS page) AS counted
 WHERE bytes_before < $7::bigint ORDER BY usn, id
