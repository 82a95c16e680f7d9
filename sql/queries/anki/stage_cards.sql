INSERT INTO anki_staged_cards (user_id, fence, ids, note_ids, deck_ids, ords, mods, types, queues, dues, intervals, factors,
    reps, lapses, remainings, original_dues, original_deck_ids, flags, datas)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
