-- The tags or subdecks of cards before, of each card the last $4. $1 deck  $2 guids  $3 tags, path  $4 how many
SELECT g.guid, c.old_value
FROM unnest($2::text[]) AS g (guid)
CROSS JOIN LATERAL (SELECT old_value FROM decks_changes
                    WHERE deck_id = $1 AND guid = g.guid AND kind = $3 ORDER BY seq DESC LIMIT $4) AS c
