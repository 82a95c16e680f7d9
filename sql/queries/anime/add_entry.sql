-- No row if the account has this title in its list, or if the title has just been deleted (drop_stubs), from which its lock
-- protects it.
-- $1 account  $2 title  $3 status  $4 score  $5 progress  $6 started  $7 finished  $8 rewatches  $9 rewatching  $10 notes
-- $11 priority  $12 tags  $13 private
WITH added AS (
  INSERT INTO anime_entries (user_id, anime_id, status, score, progress, started_on, finished_on, rewatches, rewatching, notes,
                             priority, tags, is_private)
  SELECT $1, t.anime_id, $3, $4, $5, $6::text::date, $7::text::date, $8, $9, $10, $11, $12, $13
  FROM anime_titles t WHERE t.anime_id = $2 FOR KEY SHARE
  ON CONFLICT (user_id, anime_id) DO NOTHING
  RETURNING entry_id, revision, created_at, updated_at, status, score, progress, rewatches
), noted AS (
  INSERT INTO anime_history (user_id, anime_id, status_before, status_after, score_before, score_after, progress_before,
                             progress_after, rewatches_before, rewatches_after)
  SELECT $1, $2, NULL, status, NULL, score, NULL, progress, NULL, rewatches FROM added
)
SELECT entry_id, revision, created_at, updated_at FROM added
