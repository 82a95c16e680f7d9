INSERT INTO anki_staged_notes (user_id, fence, ids, guids, notetype_ids, mods, tags, fields)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
