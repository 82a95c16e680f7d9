SELECT id, card_id, usn, ease, interval, last_interval, factor, taken_ms, type
  FROM anki_revlog WHERE user_id = $1 AND generation = $2 AND usn >= $3 AND (usn, id) > ($4, $5) ORDER BY usn, id LIMIT $6
