-- Of a deck that is deleted. $1 deck
DELETE FROM decks_notices n USING decks_invitations i JOIN decks d ON d.deck_id = i.deck_id
WHERE i.deck_id = $1 AND n.user_id = i.user_id AND n.deck_public_id = d.public_id AND n.type = 'maintainer_invited'
