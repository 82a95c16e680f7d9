-- The versions that touched a card, the newest first. `found`: how many there are within $3. $1 deck  $2 guid  $3 how many
-- $4 bytes, which only the last one exceeds
SELECT b.version, b.is_removed, b.note_type, b.fields, b.tags, b.user_id, b.origin, b.created_at, b.found
FROM (SELECT p.*, count(*) OVER () AS found,
             sum(octet_length(p.fields)) OVER (ORDER BY p.version DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
      FROM (SELECT version, is_removed, note_type, fields, tags, user_id, origin, created_at
            FROM decks_card_versions WHERE deck_id = $1 AND guid = $2 ORDER BY version DESC LIMIT $3) p) b
WHERE coalesce(b.bytes_before, 0) < $4::bigint
ORDER BY b.version DESC
