-- plan: free
-- A page of a list, in one of several orders.
-- $1 account  $2 status or null  $3 pattern for search_text or null  $4 order: created, updated, title, score, progress
-- $5 limit  $6 offset
SELECT
-- include: entry_columns
FROM anime_entries e JOIN anime_titles t ON t.anime_id = e.anime_id
WHERE e.user_id = $1 AND ($2::text IS NULL OR e.status = $2) AND ($3::text IS NULL OR t.search_text LIKE $3)
ORDER BY CASE WHEN $4::text = 'updated' THEN e.updated_at END DESC,
         CASE WHEN $4 = 'title' THEN lower(t.title) END,
         CASE WHEN $4 = 'score' THEN e.score END DESC NULLS LAST,
         CASE WHEN $4 = 'progress' THEN e.progress END DESC NULLS LAST,
         e.created_at DESC, e.entry_id DESC
LIMIT $5 OFFSET $6
