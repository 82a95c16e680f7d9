-- A title written by hand; no row if there is one with this id at MAL.
-- $1 id at MAL  $2 title  $3 English  $4 Japanese  $5 text for the search  $6 synopsis  $7 score  $8 episodes  $9 status
-- $10 season  $11 year  $12 image
WITH added AS (
  INSERT INTO anime_titles (mal_id, title, title_english, title_japanese, search_text, synopsis, score, episodes, status,
                            season, year, image_url, source)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'manual')
  ON CONFLICT (mal_id) DO NOTHING
  RETURNING anime_id
), found AS (
  DELETE FROM anime_missing m USING added WHERE m.mal_id = $1
)
SELECT anime_id FROM added
