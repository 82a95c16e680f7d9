-- history_bytes, and what the points of the history say.
SELECT c.history_bytes AS counter,
       (SELECT coalesce(sum(p.bytes), 0) FROM anki_points p WHERE p.user_id = $1)::bigint AS found
  FROM anki_collections c WHERE c.user_id = $1
