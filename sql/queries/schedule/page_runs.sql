-- plan: free
-- $1 states, none: all  $2 order: started_at, -started_at, finished_at, -finished_at  $3 limit  $4 offset
SELECT
-- include: run_columns
FROM schedule_runs r WHERE cardinality($1::text[]) = 0 OR r.state = ANY ($1::text[])
ORDER BY CASE WHEN $2::text = '-started_at' THEN r.started_at END DESC, CASE WHEN $2::text = 'started_at' THEN r.started_at END,
         CASE WHEN $2::text = '-finished_at' THEN r.finished_at END DESC NULLS LAST,
         CASE WHEN $2::text = 'finished_at' THEN r.finished_at END NULLS LAST, r.run_id DESC
LIMIT $3::bigint OFFSET $4::bigint
