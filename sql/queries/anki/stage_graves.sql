-- See stage_cards.
INSERT INTO anki_staged_graves (user_id, fence, kind, id)
SELECT DISTINCT s.user_id, s.fence, $3::smallint, g.id
  FROM anki_sessions s, unnest($4::bigint[]) AS g (id)
 WHERE s.user_id = $1 AND s.session_key = $2 AND s.xmin = pg_current_xact_id()::xid
   AND s.staged_bytes <= least(s.max_staged_bytes, s.quota_staged_bytes)
ON CONFLICT DO NOTHING
