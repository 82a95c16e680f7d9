-- What those who have unsubscribed left behind. $1 days
WITH gone AS (
  DELETE FROM decks_subscriptions s WHERE s.subscribed_at IS NULL AND s.last_call_at < now() - make_interval(days => $1::int)
    AND NOT EXISTS (SELECT FROM decks d WHERE d.deck_id = s.deck_id AND d.user_id = s.user_id)
    AND NOT EXISTS (SELECT FROM decks_maintainers m WHERE m.deck_id = s.deck_id AND m.user_id = s.user_id)
  RETURNING s.deck_id, s.user_id
), states AS (
  DELETE FROM decks_suspensions p USING gone g WHERE p.deck_id = g.deck_id AND p.user_id = g.user_id
)
DELETE FROM decks_progress p USING gone g WHERE p.deck_id = g.deck_id AND p.user_id = g.user_id
