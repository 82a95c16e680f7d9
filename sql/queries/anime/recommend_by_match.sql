-- plan: free
-- As recommend, but ordered by the share of the list's taste that a title matches, times its score. The score
-- is averaged with the catalogue's mean as if that had 500 votes, so few votes count little.
-- $1 account  $2 limit  $3, $4: see recommend_taste.part, recommend_candidate.part
-- include: recommend_taste
mean_of_all AS MATERIALIZED (
  SELECT coalesce(avg(score), 0) AS score FROM anime_titles WHERE score IS NOT NULL
), matching AS MATERIALIZED (
  SELECT l.anime_id, (sum(p.weight) / (SELECT sum(weight) FROM top))::float8 AS part
  FROM top p JOIN anime_title_genres l ON l.genre_id = p.genre_id GROUP BY l.anime_id
), rated AS (
  SELECT t.anime_id, t.score, m.part * (v.votes * coalesce(t.score, 0) + 500 * a.score) / (v.votes + 500) AS match
  FROM matching m JOIN anime_titles t ON t.anime_id = m.anime_id CROSS JOIN mean_of_all a
  CROSS JOIN LATERAL (SELECT CASE WHEN t.score IS NULL THEN 0 ELSE coalesce(t.scored_by, 0) END AS votes) v
  WHERE true
-- include: recommend_candidate
), chosen AS (
  SELECT r.anime_id, row_number() OVER (ORDER BY r.match DESC, r.score DESC NULLS LAST, r.anime_id) AS place
  FROM rated r ORDER BY place LIMIT $2
)
SELECT
-- include: title_columns
FROM chosen c JOIN anime_shown v ON v.anime_id = c.anime_id ORDER BY c.place
