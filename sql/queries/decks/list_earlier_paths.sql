-- Where cards were before, of each card the last $3 subdecks. $1 deck  $2 guids  $3 subdecks
SELECT g.guid, c.old_value
FROM unnest($2::text[]) AS g (guid)
CROSS JOIN LATERAL (SELECT old_value FROM decks_changes
                    WHERE deck_id = $1 AND guid = g.guid AND kind = 'path' ORDER BY seq DESC LIMIT $3) AS c
