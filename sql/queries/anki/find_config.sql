-- NULL if it has more than $3 bytes.
SELECT CASE WHEN octet_length(config) <= $3::bigint THEN config END AS config
  FROM anki_config WHERE user_id = $1 AND generation = $2
