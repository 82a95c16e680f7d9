-- Which of these ids were deleted since the base file: a file that is still being imported may contain them.
SELECT id FROM anki_graves WHERE user_id = $1 AND generation = $2 AND kind = $3 AND id = ANY ($4::bigint[])
   AND usn >= (SELECT c.base_usn FROM anki_collections c WHERE c.user_id = $1)
