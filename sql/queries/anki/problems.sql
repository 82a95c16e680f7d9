SELECT happened_at, kind, device_id, client, details, times, coalesce(first_at, happened_at) AS first_at
  FROM anki_problems WHERE user_id = $1 ORDER BY problem_id DESC
