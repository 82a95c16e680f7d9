-- An invitation that was taken back. $1 account  $2 deck
DELETE FROM decks_notices WHERE user_id = $1 AND deck_public_id = $2::text::uuid AND type = 'maintainer_invited'
