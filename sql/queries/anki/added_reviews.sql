-- Ids of reviews that syncs have added, after the list ($3, $4): usn, last id. At most $5 lists.
SELECT usn, last_id, ids FROM anki_changed
 WHERE user_id = $1 AND generation = $2 AND part = 8 AND (usn, last_id) > ($3, $4) ORDER BY usn, last_id LIMIT $5
