INSERT INTO anki_staged_revlog (user_id, fence, ids, card_ids, eases, intervals, last_intervals, factors, taken_mss, types)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
