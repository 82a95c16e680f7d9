-- $1 account  $2 job  $3 kinds  $4 positions  $5 ids at MAL, 0: none  $6 titles  $7 elements, '': none  $8 reasons
INSERT INTO anime_import_notes (user_id, job_id, kind, position, mal_id, title, field, reason)
SELECT $1, $2, n.kind, n.position, nullif(n.mal_id, 0), n.title, nullif(n.field, ''), n.reason
FROM unnest($3::text[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[])
  WITH ORDINALITY AS n (kind, position, mal_id, title, field, reason, place)
ORDER BY n.place
