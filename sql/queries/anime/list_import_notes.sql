SELECT kind, position, mal_id, title, field, reason FROM anime_import_notes WHERE user_id = $1 AND job_id = $2 ORDER BY note_id
