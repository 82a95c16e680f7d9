-- Ids of reviews that syncs from usn $3 on have added.
SELECT ids FROM anki_changed WHERE user_id = $1 AND generation = $2 AND part = 8 AND usn >= $3
