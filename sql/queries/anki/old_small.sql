-- Other things before usn $3: the creation time; the config, null if no sync has changed it since; tags and reviews that
-- syncs have added since.
SELECT p.finished_at, p.created_s, p.during_import,
       (SELECT f.config FROM anki_old_configs f
         WHERE f.user_id = $1 AND f.generation = $2 AND f.at_usn >= $3 ORDER BY f.at_usn LIMIT 1) AS config,
       ARRAY(SELECT t.name FROM anki_old_tags o, unnest(o.absent) AS t (name)
              WHERE o.user_id = $1 AND o.generation = $2 AND o.at_usn >= $3) AS tags
  FROM anki_points p WHERE p.user_id = $1 AND p.generation = $2 AND p.usn = $3
