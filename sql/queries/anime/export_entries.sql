-- A page of a list by ascending title, for exports.
-- $1 account  $2 the last title of the page before  $3 limit
SELECT t.type,
-- include: entry_columns
FROM anime_entries e JOIN anime_titles t ON t.anime_id = e.anime_id
WHERE e.user_id = $1 AND e.anime_id > $2 ORDER BY e.anime_id LIMIT $3
