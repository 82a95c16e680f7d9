-- plan: free
-- Cards that versions after this one touched, and the bytes of their fields: now, and then (0 if they were not there).
-- $1 deck  $2 version
SELECT t.guid, octet_length(c.fields)::bigint + coalesce(octet_length(w.fields), 0) AS bytes
FROM (SELECT DISTINCT v.guid FROM decks_card_versions v WHERE v.deck_id = $1 AND v.version > $2) t
JOIN decks_cards c ON c.deck_id = $1 AND c.guid = t.guid
LEFT JOIN LATERAL (SELECT v.fields FROM decks_card_versions v WHERE v.deck_id = $1 AND v.guid = t.guid AND v.version <= $2
                   ORDER BY v.version DESC LIMIT 1) w ON true
ORDER BY c.ord
