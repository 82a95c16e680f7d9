-- What others, or other computers of the same person, have changed after this place in the log, with what was there before: a push
-- of an older copy must not undo it. And between those, what this computer has changed itself. In the order of the log.
-- $1 deck  $2 log  $3 who pushes  $4 its computer; 0: it is not known which changes of the account are its own  $5 guids
-- $6 log of tags, types and paths
SELECT c.guid, c.kind, c.field, c.old_value, ($4::bigint <> 0 AND c.device_id = $4::bigint) AS is_own
FROM decks_changes c
WHERE c.deck_id = $1 AND c.guid = ANY ($5::text[])
  AND ((c.kind IN ('modify', 'delete') AND c.seq > $2) OR (c.kind IN ('add', 'tags', 'type', 'path') AND c.seq > $6))
  AND (c.user_id <> $3 OR c.origin = 'suggestion' OR $4::bigint <> 0)
ORDER BY c.seq
