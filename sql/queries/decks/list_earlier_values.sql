-- What fields of cards were before: of each card the last $3 values. $1 deck  $2 guids  $3 values
SELECT g.guid, c.field, c.old_value
FROM unnest($2::text[]) AS g (guid)
CROSS JOIN LATERAL (SELECT field, old_value FROM decks_changes
                    WHERE deck_id = $1 AND guid = g.guid AND kind = 'modify' ORDER BY seq DESC LIMIT $3) AS c
