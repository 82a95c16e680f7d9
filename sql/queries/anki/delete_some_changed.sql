-- Not the lists of reviews: a restore to a sync needs them. They go with the generation's entry in the history.
DELETE FROM anki_changed WHERE user_id = $1 AND generation = $2
   AND (part, usn, last_id) IN (SELECT part, usn, last_id FROM anki_changed WHERE user_id = $1 AND generation = $2 AND part > 8
                                 ORDER BY part, usn, last_id LIMIT $3)
