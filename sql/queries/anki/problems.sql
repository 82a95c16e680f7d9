SELECT happened_at, kind, device_id, client, details FROM anki_problems WHERE user_id = $1 ORDER BY problem_id DESC
