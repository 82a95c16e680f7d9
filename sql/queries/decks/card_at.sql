-- A card as it was at the end of a version, or of the last one before it that touched it. $1 deck  $2 guid  $3 version
SELECT guid, is_removed, note_type, fields, tags, subdeck_path, hash
FROM decks_card_versions WHERE deck_id = $1 AND guid = $2 AND version <= $3 ORDER BY version DESC LIMIT 1
