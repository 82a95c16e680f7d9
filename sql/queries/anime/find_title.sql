SELECT
-- include: title_columns
FROM anime_shown v WHERE v.anime_id = $1
