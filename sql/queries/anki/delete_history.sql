-- A time before it was replaced has no answer any more.
WITH gone AS (
  DELETE FROM anki_history WHERE user_id = $1 AND generation = $2 RETURNING user_id, replaced_at
)
UPDATE anki_collections c SET known_since = greatest(c.known_since, gone.replaced_at) FROM gone WHERE c.user_id = gone.user_id
