-- The genres of a title, all of them: other links are removed.
-- $1 the title's id at MAL  $2 those of its genres  $3 whether a manual title is replaced
WITH title AS (
  SELECT anime_id FROM anime_titles WHERE mal_id = $1 AND (source <> 'manual' OR $3)
), removed AS (
  DELETE FROM anime_title_genres l
  WHERE l.anime_id = (SELECT anime_id FROM title)
    AND NOT EXISTS (SELECT FROM anime_genres g WHERE g.genre_id = l.genre_id AND g.mal_id = ANY ($2::int[]))
  RETURNING l.genre_id
), added AS (
  INSERT INTO anime_title_genres (anime_id, genre_id)
  SELECT t.anime_id, g.genre_id FROM title t CROSS JOIN anime_genres g WHERE g.mal_id = ANY ($2::int[])
  ON CONFLICT DO NOTHING
  RETURNING genre_id
)
UPDATE anime_titles t SET updated_at = now()
WHERE t.anime_id = (SELECT anime_id FROM title) AND (EXISTS (SELECT FROM removed) OR EXISTS (SELECT FROM added))
