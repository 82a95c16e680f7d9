-- Arrays by card, or by note without one (0). $1 deck  $2 account  $3 guids  $4 ids of cards
UPDATE decks_delivered_notes n SET state = 'suspended', suspended_cards = u.cards
FROM (SELECT s.guid, coalesce(array_agg(s.card) FILTER (WHERE s.card <> 0), '{}') AS cards
      FROM unnest($3::text[], $4::bigint[]) AS s (guid, card) GROUP BY s.guid) AS u
WHERE n.deck_id = $1 AND n.user_id = $2 AND n.guid = u.guid
