-- $1 account  $2 title
WITH deleted AS (
  DELETE FROM anime_entries WHERE user_id = $1 AND anime_id = $2
  RETURNING status, score, progress, rewatches
), noted AS (
  INSERT INTO anime_history (user_id, anime_id, status_before, status_after, score_before, score_after, progress_before,
                             progress_after, rewatches_before, rewatches_after)
  SELECT $1, $2, status, NULL, score, NULL, progress, NULL, rewatches, NULL FROM deleted
)
SELECT status FROM deleted
