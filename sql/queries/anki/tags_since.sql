-- The names are NULL if all of them together have more than $4 bytes.
SELECT CASE WHEN sum(octet_length(name)) OVER () <= $4::bigint THEN name END AS name, usn
  FROM anki_tags WHERE user_id = $1 AND generation = $2 AND usn >= $3 ORDER BY name_key
