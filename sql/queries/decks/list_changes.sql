-- What a client that knows the log up to $2 does not know, in the order of the log: of each field only the last change, with the
-- value that the client has; of a card that it does not have, the entry 'add', with the fields that have entries of their own. A
-- card that was away at $2 and has come back is one that it does not have. One that was removed and added between has lost fields
-- that the client has.
-- $1 deck  $2 log  $3 end of the log  $4 how many  $5 bytes, which only the last one exceeds
WITH page AS (
  SELECT c.seq, c.guid, CASE c.kind WHEN 'revive' THEN 'add' ELSE c.kind END AS kind, c.field, c.version, c.created_at, k.fields,
         CASE WHEN c.kind = 'modify' THEN
           (SELECT f.old_value FROM decks_changes f WHERE f.deck_id = c.deck_id AND f.guid = c.guid AND f.kind = 'modify'
              AND f.field = c.field AND f.seq > greatest($2::bigint, k.added_seq) ORDER BY f.seq LIMIT 1)
         ELSE '' END AS old_value,
         k.added_seq > $2 OR a.is_away AS is_new,
         CASE WHEN c.kind IN ('add', 'revive') THEN
           ARRAY(SELECT DISTINCT o.field FROM decks_changes o WHERE o.deck_id = c.deck_id AND o.guid = c.guid AND o.kind = 'modify'
                   AND o.seq > c.seq)
         ELSE '{}' END AS later_fields,
         CASE WHEN c.kind = 'add' AND NOT a.is_away
                AND EXISTS (SELECT FROM decks_changes e WHERE e.deck_id = c.deck_id AND e.guid = c.guid AND e.kind = 'add' AND e.seq <= $2) THEN
           ARRAY(SELECT DISTINCT o.field FROM decks_changes o WHERE o.deck_id = c.deck_id AND o.guid = c.guid AND o.kind = 'modify'
                   AND o.seq > $2)
         ELSE '{}' END AS changed_fields
  FROM decks_changes c JOIN decks_cards k ON k.deck_id = c.deck_id AND k.guid = c.guid
  CROSS JOIN LATERAL (SELECT coalesce((SELECT e.kind = 'delete' FROM decks_changes e WHERE e.deck_id = c.deck_id AND e.guid = c.guid
                                         AND e.kind IN ('add', 'revive', 'delete') AND e.seq <= $2 ORDER BY e.seq DESC LIMIT 1),
                                      false) AS is_away) a
  WHERE c.deck_id = $1 AND c.seq > $2 AND c.seq <= $3
    AND CASE c.kind WHEN 'add' THEN k.removed_seq IS NULL AND k.added_seq = c.seq
                    WHEN 'modify' THEN k.removed_seq IS NULL AND c.seq > k.added_seq
                         AND NOT EXISTS (SELECT FROM decks_changes l WHERE l.deck_id = c.deck_id AND l.guid = c.guid AND l.kind = 'modify'
                                           AND l.field = c.field AND l.seq > c.seq)
                    WHEN 'revive' THEN k.removed_seq IS NULL AND c.seq > k.added_seq AND a.is_away
                         AND NOT EXISTS (SELECT FROM decks_changes l WHERE l.deck_id = c.deck_id AND l.guid = c.guid AND l.kind = 'revive'
                                           AND l.field = '' AND l.seq > $2 AND l.seq < c.seq)
                    ELSE false END
  ORDER BY c.seq
  LIMIT $4
)
SELECT b.seq, b.guid, b.kind, b.field, b.version, b.created_at, b.fields, b.old_value, b.is_new, b.later_fields, b.changed_fields, b.found
FROM (SELECT p.*, count(*) OVER () AS found,
             sum(octet_length(p.fields) + octet_length(p.old_value))
               OVER (ORDER BY p.seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
      FROM page p) b
WHERE coalesce(b.bytes_before, 0) < $5::bigint
ORDER BY b.seq
