-- How many of these ids the base file has, without those deleted since it was made. Reviews (part 8) are never deleted.
-- has_ids: the file's ids are known. See new_ids about scalar subqueries.
SELECT EXISTS (SELECT FROM anki_file_ids f WHERE f.user_id = $1 AND f.generation = $2) AS has_ids,
       (SELECT count(*) FROM unnest($4::bigint[]) AS i (id)
         WHERE i.id = ANY ((SELECT f.ids FROM anki_file_ids f
                             WHERE f.user_id = $1 AND f.generation = $2 AND f.part = $3::smallint AND f.last_id >= i.id
                             ORDER BY f.last_id LIMIT 1)::bigint[])
           AND coalesce((SELECT g.usn FROM anki_graves g
                          WHERE g.user_id = $1 AND g.generation = $2 AND g.id = i.id
                            AND g.kind = CASE $3::smallint WHEN 16 THEN 0 WHEN 32 THEN 1 END)
                        < (SELECT c.base_usn FROM anki_collections c WHERE c.user_id = $1), true)) AS ids
