-- plan: free
-- Old objects, tags and preferences without a point, and not of a forgotten one.
SELECT count(*) AS without_point
  FROM (SELECT generation, at_usn FROM anki_old_objects WHERE user_id = $1
        UNION ALL SELECT generation, at_usn FROM anki_old_tags WHERE user_id = $1
        UNION ALL SELECT generation, at_usn FROM anki_old_configs WHERE user_id = $1) AS o
 WHERE NOT EXISTS (SELECT FROM anki_points q WHERE q.user_id = $1 AND q.generation = o.generation AND q.usn = o.at_usn)
   AND NOT EXISTS (SELECT FROM anki_collections c WHERE c.user_id = $1
                      AND (o.generation, o.at_usn) <= (c.forgotten_generation, c.forgotten_usn))
