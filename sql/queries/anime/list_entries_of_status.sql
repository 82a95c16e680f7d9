-- As list_entries, of one status.
-- $1 account  $2 status  $3, $4 the last entry before, by its time and id  $5 limit
SELECT
-- include: entry_columns
FROM anime_entries e JOIN anime_titles t ON t.anime_id = e.anime_id
WHERE e.user_id = $1 AND e.status = $2 AND (e.created_at, e.entry_id) < ($3, $4)
ORDER BY e.created_at DESC, e.entry_id DESC LIMIT $5
