-- Rows that syncs have changed but anki_changed does not list under their usn: devices never get them.
SELECT (SELECT count(*) FROM anki_cards r WHERE r.user_id = $1 AND r.generation = $2 AND r.usn >= $3
           AND NOT r.id = ANY (coalesce((SELECT l.ids FROM anki_changed l WHERE l.user_id = $1 AND l.generation = $2 AND l.part = 16
                                            AND l.usn = r.usn AND l.last_id >= r.id ORDER BY l.last_id LIMIT 1), '{}'))) AS cards,
       (SELECT count(*) FROM anki_notes r WHERE r.user_id = $1 AND r.generation = $2 AND r.usn >= $3
           AND NOT r.id = ANY (coalesce((SELECT l.ids FROM anki_changed l WHERE l.user_id = $1 AND l.generation = $2 AND l.part = 32
                                            AND l.usn = r.usn AND l.last_id >= r.id ORDER BY l.last_id LIMIT 1), '{}'))) AS notes,
       (SELECT count(*) FROM anki_revlog r WHERE r.user_id = $1 AND r.generation = $2 AND r.usn >= $3
           AND NOT r.id = ANY (coalesce((SELECT l.ids FROM anki_changed l WHERE l.user_id = $1 AND l.generation = $2 AND l.part = 8
                                            AND l.usn = r.usn AND l.last_id >= r.id ORDER BY l.last_id LIMIT 1), '{}'))) AS revlog
