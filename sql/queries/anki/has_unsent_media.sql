-- Whether one of the changes above usn $2 and up to $3 is of a name that is not in $4. There are at most as many as files in a
-- batch.
SELECT EXISTS (SELECT FROM (SELECT m.name FROM anki_media_files m
                             WHERE m.user_id = $1 AND m.usn > $2 AND m.usn <= $3 ORDER BY m.usn LIMIT 1000) AS f
                WHERE f.name <> ALL ($4::text[])) AS found
