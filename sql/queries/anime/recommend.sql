-- plan: free
-- Titles outside a list that have one of its five weightiest genres, by score. The genres of most lists are those of most titles:
-- then the titles are walked in the order of the index on their scores. A few thousand titles are sorted instead.
-- $1 account  $2 limit  $3, $4: see recommend_taste.part, recommend_candidate.part
-- include: recommend_taste
links AS MATERIALIZED (
  SELECT l.anime_id FROM anime_title_genres l WHERE l.genre_id = ANY (ARRAY(SELECT genre_id FROM top)) LIMIT 5001
), are_few AS MATERIALIZED (
  -- Links, not titles: more of them may be missing from the sample.
  SELECT count(*) <= 5000 AS yes FROM links
), few AS MATERIALIZED (
  SELECT DISTINCT l.anime_id FROM links l
), chosen AS (
  SELECT c.anime_id, row_number() OVER (ORDER BY c.score DESC NULLS LAST, c.genres DESC, c.scored_by DESC NULLS LAST, c.anime_id)
         AS place
  FROM (
    (SELECT t.anime_id, t.score, matching.genres, t.scored_by FROM anime_titles t
    CROSS JOIN LATERAL (
      SELECT count(*) AS genres FROM anime_title_genres l
      WHERE l.anime_id = t.anime_id AND l.genre_id = ANY (ARRAY(SELECT genre_id FROM top))) matching
    WHERE NOT (SELECT yes FROM are_few) AND matching.genres > 0
-- include: recommend_candidate
    ORDER BY t.score DESC NULLS LAST, matching.genres DESC, t.scored_by DESC NULLS LAST, t.anime_id
    LIMIT $2)
    UNION ALL
    (SELECT t.anime_id, t.score, matching.genres, t.scored_by FROM few f JOIN anime_titles t ON t.anime_id = f.anime_id
    CROSS JOIN LATERAL (
      SELECT count(*) AS genres FROM anime_title_genres l
      WHERE l.anime_id = t.anime_id AND l.genre_id = ANY (ARRAY(SELECT genre_id FROM top))) matching
    WHERE (SELECT yes FROM are_few) AND matching.genres > 0
-- include: recommend_candidate
    ORDER BY t.score DESC NULLS LAST, matching.genres DESC, t.scored_by DESC NULLS LAST, t.anime_id
    LIMIT $2)
  ) c
)
SELECT
-- include: title_columns
FROM chosen c JOIN anime_shown v ON v.anime_id = c.anime_id ORDER BY c.place
