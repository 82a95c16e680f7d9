-- If an account's history takes more than $2 bytes, forgets the oldest points, so that it takes half of that. The caller holds
-- the collection's lock.
SELECT forget_anki_points($1, p.generation, p.usn)
  FROM (SELECT generation, usn, sum(bytes) OVER (ORDER BY generation DESC, usn DESC) AS newer_bytes
          FROM anki_points WHERE user_id = $1 AND (SELECT c.history_bytes FROM anki_collections c WHERE c.user_id = $1) > $2::bigint) AS p
 WHERE p.newer_bytes > $2::bigint / 2 ORDER BY p.generation DESC, p.usn DESC LIMIT 1
