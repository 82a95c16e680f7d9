-- What a repeated creation has made before: clients repeat a call whose answer they lost.
-- $1 owner  $2 title  $3 description  $4 whether public
SELECT public_id::text FROM decks
WHERE deck_id = ANY (ARRAY(SELECT deck_id FROM decks WHERE user_id = $1 AND deleted_at IS NULL)) AND title = $2
  AND description = $3 AND is_public = $4 AND created_at > now() - interval '1 minute'
ORDER BY deck_id LIMIT 1
