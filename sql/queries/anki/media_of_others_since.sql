-- Whether there is a change above usn $2, of a name that is not in $3, by another device than $4.
SELECT EXISTS (SELECT FROM anki_media_files f
                WHERE f.user_id = $1 AND f.usn > $2 AND f.device_id <> $4 AND f.name <> ALL ($3::text[])) AS found
