-- A page of a list, the newest entries first.
-- $1 account  $2, $3 the last entry before, by its time and id  $4 limit
SELECT
-- include: entry_columns
FROM anime_entries e JOIN anime_titles t ON t.anime_id = e.anime_id
WHERE e.user_id = $1 AND (e.created_at, e.entry_id) < ($2, $3)
ORDER BY e.created_at DESC, e.entry_id DESC LIMIT $4
