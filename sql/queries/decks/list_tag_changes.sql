-- Cards whose tags have changed after this place in the log, and those that are new to who was there: what they were there, and what
-- they are. Of new ones only those with tags, or that had others: whoever added one has those. In the order of their last changes.
-- `found` counts those that were left out, too: a page ends at about 8 MiB of tags. $1 deck  $2 log  $3 how many
SELECT p.guid, p.tags, p.updated_at, p.seq, p.old_tags, p.found FROM (
SELECT k.guid, k.tags, k.updated_at, l.seq, CASE WHEN n.is_new THEN '' ELSE o.tags END AS old_tags, count(*) OVER () AS found,
  row_number() OVER w AS place, sum(octet_length(k.tags) + coalesce(octet_length(o.tags), 0)) OVER w AS bytes
FROM (SELECT c.guid, max(c.seq) AS seq FROM decks_changes c
      WHERE c.deck_id = $1 AND c.seq > $2 AND c.kind IN ('tags', 'add', 'revive') GROUP BY c.guid) l
JOIN decks_cards k ON k.deck_id = $1 AND k.guid = l.guid
CROSS JOIN LATERAL (SELECT k.added_seq > $2 OR coalesce((SELECT e.kind = 'delete' FROM decks_changes e WHERE e.deck_id = $1
  AND e.guid = k.guid AND e.kind IN ('add', 'revive', 'delete') AND e.seq <= $2 ORDER BY e.seq DESC LIMIT 1), false) AS is_new) n
LEFT JOIN LATERAL (SELECT f.old_value AS tags FROM decks_changes f WHERE f.deck_id = $1 AND f.guid = k.guid AND f.kind = 'tags'
  AND f.field = '' AND f.seq > $2 ORDER BY f.seq LIMIT 1) o ON true
WHERE k.removed_seq IS NULL
  AND (o.tags IS NOT NULL OR (n.is_new AND (k.tags <> '' OR EXISTS (SELECT FROM decks_changes d WHERE d.deck_id = $1
                                                                      AND d.guid = k.guid AND d.kind = 'delete'))))
WINDOW w AS (ORDER BY l.seq)) p
WHERE p.place = 1 OR (p.place <= $3 AND p.bytes <= 8388608)
ORDER BY p.seq
