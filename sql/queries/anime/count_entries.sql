-- plan: free
-- Titles are read only for a search.
-- $1 account  $2 status or null  $3 pattern for search_text or null
SELECT count(*) AS entries FROM anime_entries e
WHERE e.user_id = $1 AND ($2::text IS NULL OR e.status = $2)
  AND ($3::text IS NULL OR EXISTS (SELECT FROM anime_titles t WHERE t.anime_id = e.anime_id AND t.search_text LIKE $3))
