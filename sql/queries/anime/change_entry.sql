-- Replaces an entry, which the transaction has locked. updated_at grows even if the clock does not.
-- $1 account  $2 title  $3 status  $4 score  $5 progress  $6 started  $7 finished  $8 rewatches  $9 rewatching  $10 notes
-- $11 priority  $12 tags  $13 private
WITH before AS (
  SELECT status, score, progress, rewatches FROM anime_entries WHERE user_id = $1 AND anime_id = $2
), noted AS (
  INSERT INTO anime_history (user_id, anime_id, status_before, status_after, score_before, score_after, progress_before,
                             progress_after, rewatches_before, rewatches_after)
  SELECT $1, $2, b.status, $3, b.score, $4, b.progress, $5, b.rewatches, $8 FROM before b
  WHERE (b.status, b.score, b.progress, b.rewatches) IS DISTINCT FROM ($3::text, $4::float8, $5::int, $8::int)
)
UPDATE anime_entries SET status = $3, score = $4, progress = $5, started_on = $6::text::date, finished_on = $7::text::date,
       rewatches = $8, rewatching = $9, notes = $10, priority = $11, tags = $12, is_private = $13,
       revision = revision + 1, updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
WHERE user_id = $1 AND anime_id = $2
RETURNING revision, updated_at
