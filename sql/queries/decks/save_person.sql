-- $1 account  $2 plan  $3 its end or null  $4 whether for life  $5 whether it owns the collection, or null: as it is
INSERT INTO decks_people (user_id, plan, plan_expires_at, is_lifetime, owns_collection) VALUES ($1, $2, $3, $4, coalesce($5, false))
ON CONFLICT (user_id) DO UPDATE SET plan = $2, plan_expires_at = $3, is_lifetime = $4,
  owns_collection = coalesce($5, decks_people.owns_collection)
RETURNING owns_collection
