-- Cards that others, or other computers of the same person, have added after this place in the log. As list_unseen_changes.
-- $1 deck  $2 log  $3 who pushes  $4 its computer, or 0
SELECT c.guid
FROM decks_changes c
WHERE c.deck_id = $1 AND c.seq > $2 AND c.kind IN ('add', 'revive')
  AND (c.user_id <> $3 OR c.origin = 'suggestion' OR ($4::bigint <> 0 AND c.device_id <> $4::bigint))
