-- The next part of the log: its cards, and where it ends. It ends before the cards exceed $4 bytes, but has at least one.
-- $1 deck  $2 log  $3 how many entries  $4 bytes
SELECT guid, max(seq) AS seq
FROM (SELECT p.guid, p.seq, sum(octet_length(c.fields)) OVER (ORDER BY p.seq) - octet_length(c.fields) AS bytes_before
      FROM (SELECT seq, guid FROM decks_changes WHERE deck_id = $1 AND seq > $2 ORDER BY seq LIMIT $3) AS p
      JOIN decks_cards c ON c.deck_id = $1 AND c.guid = p.guid) AS counted
WHERE bytes_before < $4::bigint
GROUP BY guid ORDER BY min(seq)
