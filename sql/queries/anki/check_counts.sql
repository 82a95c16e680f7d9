-- Small things. Their number is bounded, or they have an index on usn.
SELECT (SELECT count(*) FROM anki_objects WHERE user_id = $1 AND generation = $2 AND kind = 0) AS notetypes,
       (SELECT count(*) FROM anki_objects WHERE user_id = $1 AND generation = $2 AND kind = 1) AS decks,
       (SELECT count(*) FROM anki_objects WHERE user_id = $1 AND generation = $2 AND kind = 2) AS deck_configs,
       greatest((SELECT max(usn) FROM anki_graves WHERE user_id = $1 AND generation = $2),
                (SELECT max(usn) FROM anki_objects WHERE user_id = $1 AND generation = $2),
                (SELECT max(usn) FROM anki_tags WHERE user_id = $1 AND generation = $2), -1)::bigint AS newest_usn
