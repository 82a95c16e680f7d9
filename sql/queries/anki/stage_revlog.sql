-- See stage_cards.
INSERT INTO anki_staged_revlog (user_id, fence, ids, card_ids, eases, intervals, last_intervals, factors, taken_mss, types)
SELECT user_id, fence, $3, $4, $5, $6, $7, $8, $9, $10
  FROM anki_sessions WHERE user_id = $1 AND session_key = $2 AND xmin = pg_current_xact_id()::xid
   AND staged_bytes <= least(max_staged_bytes, quota_staged_bytes)
