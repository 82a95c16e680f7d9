UPDATE anki_collections SET import_step = $2, import_after = $3 WHERE user_id = $1
