SELECT kind, id, usn FROM anki_graves WHERE user_id = $1 AND generation = $2 AND usn >= $3
