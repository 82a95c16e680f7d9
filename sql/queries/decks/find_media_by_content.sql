-- A file of a deck by its content, also one that was replaced, and whose account holds it. $1 deck  $2 sha256
SELECT m.name, m.sha256, m.blob_id, m.size_bytes, m.updated_at, d.user_id
FROM (SELECT f.name, f.sha256, f.blob_id, f.size_bytes, f.updated_at FROM decks_media f WHERE f.deck_id = $1 AND f.sha256 = $2 UNION ALL
      SELECT r.name, r.sha256, r.blob_id, r.size_bytes, r.replaced_at FROM decks_replaced_media r WHERE r.deck_id = $1 AND r.sha256 = $2) m
JOIN decks d ON d.deck_id = $1
WHERE d.deleted_at IS NULL
LIMIT 1
