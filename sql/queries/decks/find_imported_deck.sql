-- The same for an import. $1 owner  $2 its key
SELECT public_id::text FROM decks
WHERE deck_id = ANY (ARRAY(SELECT deck_id FROM decks WHERE user_id = $1 AND deleted_at IS NULL)) AND import_key = $2
  AND created_at > now() - interval '15 minutes'
ORDER BY deck_id LIMIT 1
