-- See check_cards.
SELECT count(*) AS rows, max(p.id) AS last_id, coalesce(max(p.usn), -1)::bigint AS newest_usn,
       count(*) FILTER (WHERE p.usn >= $3::int AND NOT p.id = ANY (coalesce((
         SELECT l.ids FROM anki_changed l WHERE l.user_id = $1 AND l.generation = $2 AND l.part = 32 AND l.usn = p.usn AND l.last_id >= p.id
          ORDER BY l.last_id LIMIT 1), '{}'))) AS unlisted
  FROM (SELECT id, usn FROM anki_notes WHERE user_id = $1 AND generation = $2 AND id > $4 ORDER BY id LIMIT $5) AS p
