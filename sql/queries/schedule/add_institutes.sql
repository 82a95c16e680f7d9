-- $1 numbers of the site, 0: none  $2 names  $3 keys. In the order of the rows.
INSERT INTO schedule_institutes (upstream_id, name, name_key)
SELECT nullif(number, 0), name, key FROM unnest($1::bigint[], $2::text[], $3::text[]) WITH ORDINALITY AS n(number, name, key, place)
ORDER BY place
RETURNING institute_id
