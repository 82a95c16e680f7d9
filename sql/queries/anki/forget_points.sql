-- Up to the point ($2, $3): generation, usn. The caller holds the collection's lock.
SELECT forget_anki_points($1, $2, $3)
