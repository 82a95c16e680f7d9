-- The entries of a list for some titles.
-- $1 account  $2 ids at MAL
-- Title by title (OFFSET 0 keeps it so): the list may have thousands of entries.
SELECT
-- include: entry_columns
FROM anime_titles t
CROSS JOIN LATERAL (SELECT * FROM anime_entries WHERE user_id = $1 AND anime_id = t.anime_id OFFSET 0) e
WHERE t.mal_id = ANY ($2::int[])
