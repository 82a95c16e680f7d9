-- Note types that differ from what they were at the end of a version, as they were then. $1 deck  $2 version
SELECT t.name_key, t.name, w.fields, w.definition, t.updated_at
FROM decks_note_types t
CROSS JOIN LATERAL (SELECT v.fields, v.definition FROM decks_note_type_versions v
                    WHERE v.deck_id = t.deck_id AND v.name_key = t.name_key AND v.version <= $2 ORDER BY v.version DESC LIMIT 1) w
WHERE t.deck_id = $1 AND (t.fields <> w.fields OR t.definition IS DISTINCT FROM w.definition)
ORDER BY t.name_key
