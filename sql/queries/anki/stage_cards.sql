-- Stages for the session that this transaction has touched (xmin), and does nothing if there was none to touch. The key
-- alone is not enough: a session with the same key may have started while the touch waited.
INSERT INTO anki_staged_cards (user_id, fence, ids, note_ids, deck_ids, ords, mods, types, queues, dues, intervals, factors,
    reps, lapses, remainings, original_dues, original_deck_ids, flags, datas)
SELECT user_id, fence, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19
  FROM anki_sessions WHERE user_id = $1 AND session_key = $2 AND xmin = pg_current_xact_id()::xid
   AND staged_bytes <= least(max_staged_bytes, quota_staged_bytes)
