-- Files that have another content by now than at a version: the first that was replaced since then is what they were.
-- $1 deck  $2 version
SELECT w.name, w.sha256, w.blob_id, w.size_bytes
FROM (SELECT DISTINCT ON (r.name) r.name, r.sha256, r.blob_id, r.size_bytes FROM decks_replaced_media r
      WHERE r.deck_id = $1 AND r.version >= $2 ORDER BY r.name, r.version, r.replaced_at) w
JOIN decks_media m ON m.deck_id = $1 AND m.name = w.name AND m.sha256 <> w.sha256
ORDER BY w.name
