-- $1 account  $2 those up to this time
UPDATE decks_notices SET read_at = now() WHERE user_id = $1 AND created_at <= $2 AND read_at IS NULL
