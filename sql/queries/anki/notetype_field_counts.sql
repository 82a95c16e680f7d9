-- Notetypes of the collection and those staged by this session. Returns no row if the session is not live.
WITH session AS (
  SELECT generation, fence FROM anki_sessions WHERE user_id = $1 AND session_key = $2 AND expires_at > now()
)
SELECT o.id, o.field_count FROM session s JOIN anki_objects o ON o.generation = s.generation
 WHERE o.user_id = $1 AND o.kind = 0 AND o.id = ANY ($3::bigint[])
UNION
SELECT o.id, o.field_count FROM session s JOIN anki_staged_objects o ON o.fence = s.fence
 WHERE o.user_id = $1 AND o.kind = 0 AND o.id = ANY ($3::bigint[])
