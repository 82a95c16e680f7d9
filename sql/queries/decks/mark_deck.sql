-- What only the administrator says of a deck. $1 public id  $2 verified or null  $3 featured or null
UPDATE decks SET is_verified = coalesce($2::boolean, is_verified), is_featured = coalesce($3::boolean, is_featured), updated_at = now()
WHERE public_id = $1::text::uuid AND deleted_at IS NULL
