-- Cards as they were at the end of a version. Those that were not there then are left out. $1 deck  $2 guids  $3 version
SELECT g.guid, w.note_type, w.fields, w.tags, w.subdeck_path, w.hash, w.is_removed
FROM unnest($2::text[]) WITH ORDINALITY AS g (guid, place)
CROSS JOIN LATERAL (SELECT v.note_type, v.fields, v.tags, v.subdeck_path, v.hash, v.is_removed FROM decks_card_versions v
                    WHERE v.deck_id = $1 AND v.guid = g.guid AND v.version <= $3 ORDER BY v.version DESC LIMIT 1) w
WHERE NOT w.is_removed
ORDER BY g.place
