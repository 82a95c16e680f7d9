-- $1 id at MAL
SELECT
-- include: title_columns
FROM anime_shown v WHERE v.mal_id = $1
