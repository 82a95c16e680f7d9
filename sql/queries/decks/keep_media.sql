-- What names of files have now, kept under the version of the deck. is_kept: false if that version has kept it before.
-- $1 deck  $2 names
WITH now_there AS (
  SELECT m.name, m.sha256, m.blob_id, m.size_bytes, d.version FROM decks_media m JOIN decks d ON d.deck_id = m.deck_id
  WHERE m.deck_id = $1 AND m.name = ANY ($2::text[])
), kept AS (
  INSERT INTO decks_replaced_media (deck_id, name, version, sha256, blob_id, size_bytes)
  SELECT $1, n.name, n.version, n.sha256, n.blob_id, n.size_bytes FROM now_there n
  ON CONFLICT (deck_id, name, version, sha256) DO NOTHING
  RETURNING name
)
SELECT n.blob_id, k.name IS NOT NULL AS is_kept FROM now_there n LEFT JOIN kept k ON k.name = n.name
