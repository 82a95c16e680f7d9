SELECT
-- include: entry_columns
FROM anime_entries e JOIN anime_titles t ON t.anime_id = e.anime_id
WHERE e.user_id = $1 AND e.anime_id = $2 FOR UPDATE OF e
