-- One page of rows, of at most $5 with ids above $4: how many, their last id (null: there are none), their newest usn, and
-- how many of them syncs have changed ($3: base_usn) without anki_changed listing them under their usn: devices never get
-- those.
SELECT count(*) AS rows, max(p.id) AS last_id, coalesce(max(p.usn), -1)::bigint AS newest_usn,
       count(*) FILTER (WHERE p.usn >= $3::int AND NOT p.id = ANY (coalesce((
         SELECT l.ids FROM anki_changed l WHERE l.user_id = $1 AND l.generation = $2 AND l.part = 16 AND l.usn = p.usn AND l.last_id >= p.id
          ORDER BY l.last_id LIMIT 1), '{}'))) AS unlisted
  FROM (SELECT id, usn FROM anki_cards WHERE user_id = $1 AND generation = $2 AND id > $4 ORDER BY id LIMIT $5) AS p
