-- One page of points, of at most $4 after ($2, $3): generation, usn. How many, the last one (null: there are none), how many
-- have other bytes than the rows that they keep, and how many are of a collection that is not kept.
SELECT count(*) AS points, max(p.generation) AS last_generation,
       (array_agg(p.usn ORDER BY p.generation DESC, p.usn DESC))[1] AS last_usn,
       count(*) FILTER (WHERE p.bytes <> 100
         + (SELECT coalesce(sum(o.bytes), 0) FROM anki_old_cards o WHERE o.user_id = $1 AND o.generation = p.generation AND o.at_usn = p.usn)
         + (SELECT coalesce(sum(o.bytes), 0) FROM anki_old_notes o WHERE o.user_id = $1 AND o.generation = p.generation AND o.at_usn = p.usn)
         + (SELECT coalesce(sum(o.bytes), 0) FROM anki_old_objects o WHERE o.user_id = $1 AND o.generation = p.generation AND o.at_usn = p.usn)
         + (SELECT coalesce(sum(o.bytes), 0) FROM anki_old_tags o WHERE o.user_id = $1 AND o.generation = p.generation AND o.at_usn = p.usn)
         + (SELECT coalesce(sum(o.bytes), 0) FROM anki_old_configs o WHERE o.user_id = $1 AND o.generation = p.generation AND o.at_usn = p.usn)
       ) AS incomplete,
       count(*) FILTER (WHERE
         NOT EXISTS (SELECT FROM anki_collections c WHERE c.user_id = $1 AND c.generation = p.generation)
         AND NOT EXISTS (SELECT FROM anki_history h WHERE h.user_id = $1 AND h.generation = p.generation)) AS without_collection
  FROM (SELECT q.generation, q.usn, q.bytes FROM anki_points q
         WHERE q.user_id = $1 AND (q.generation, q.usn) > ($2::int, $3::int) ORDER BY q.generation, q.usn LIMIT $4) AS p
