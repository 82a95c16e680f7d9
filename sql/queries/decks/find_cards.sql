-- Cards by their guids, removed ones too. $1 deck  $2 guids
SELECT c.guid, c.ord, c.note_type, c.fields, c.tags, c.subdeck_path, c.hash, c.version, c.added_seq, c.removed_seq, c.is_cleared,
       c.updated_at
FROM decks_cards c WHERE c.deck_id = $1 AND c.guid = ANY ($2::text[])
