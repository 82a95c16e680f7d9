-- Arrays by card, or by note without one (0). $1 deck  $2 account  $3 guids  $4 ids of cards  $5 their times of modification
UPDATE decks_delivered_notes n SET state = 'suspended', suspended_cards = u.cards, suspended_mods = u.mods
FROM (SELECT s.guid, coalesce(array_agg(s.card ORDER BY s.card) FILTER (WHERE s.card <> 0), '{}') AS cards,
             coalesce(array_agg(s.mod ORDER BY s.card) FILTER (WHERE s.card <> 0), '{}') AS mods
      FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS s (guid, card, mod) GROUP BY s.guid) AS u
WHERE n.deck_id = $1 AND n.user_id = $2 AND n.guid = u.guid
