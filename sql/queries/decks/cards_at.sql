-- plan: free
-- All cards of a deck as they were at the end of a version, those that were removed then too, in the order of the primary key,
-- backwards: nothing is sorted. $1 deck  $2 version
SELECT DISTINCT ON (guid) guid, is_removed, note_type, fields, tags, subdeck_path, hash
FROM decks_card_versions WHERE deck_id = $1 AND version <= $2
ORDER BY guid DESC, version DESC
