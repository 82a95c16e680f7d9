-- What a deck holds in its owner's account. $1 deck
SELECT blob_id, count(*) AS holders FROM (
  SELECT m.blob_id FROM decks_media m WHERE m.deck_id = $1 UNION ALL
  SELECT r.blob_id FROM decks_replaced_media r WHERE r.deck_id = $1 UNION ALL
  SELECT u.blob_id FROM decks_uploads u WHERE u.deck_id = $1) b
GROUP BY blob_id
