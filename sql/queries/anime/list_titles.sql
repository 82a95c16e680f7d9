-- A page of the catalogue without any filter, in the order of its index.
-- $1 limit  $2 offset
SELECT
-- include: title_columns
FROM (SELECT t.anime_id FROM anime_titles t ORDER BY t.score DESC NULLS LAST, t.anime_id LIMIT $1 OFFSET $2) p
JOIN anime_shown v ON v.anime_id = p.anime_id
ORDER BY v.score DESC NULLS LAST, v.anime_id
