-- Omits the decks that the session with fence $4 has deleted (0: no session). The JSON, which contains the
-- name, and the name are NULL if all JSON together has more than $5 bytes.
SELECT kind, id, mod, usn, name_usn, field_count, template_count,
       CASE WHEN sum(octet_length(json)) OVER () <= $5::bigint THEN name END AS name,
       CASE WHEN sum(octet_length(json)) OVER () <= $5::bigint THEN json END AS json
  FROM anki_objects o WHERE user_id = $1 AND generation = $2 AND usn >= $3
   AND ($4::bigint = 0 OR kind <> 1 OR (SELECT g.id FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $4 AND g.kind = 2 AND g.id = o.id) IS NULL)
 ORDER BY kind, id
