-- Which of these ids were deleted after the base file was made. A file that is still being imported may contain them.
SELECT i.id FROM unnest($4::bigint[]) AS i (id)
 WHERE (SELECT g.usn FROM anki_graves g WHERE g.user_id = $1 AND g.generation = $2 AND g.kind = $3 AND g.id = i.id)
       >= (SELECT c.base_usn FROM anki_collections c WHERE c.user_id = $1)
