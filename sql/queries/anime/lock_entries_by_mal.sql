-- As find_entries_by_mal. Locks by ascending title, as everywhere, so that two imports cannot deadlock.
-- $1 account  $2 ids at MAL
SELECT
-- include: entry_columns
FROM (SELECT * FROM anime_titles WHERE mal_id = ANY ($2::int[]) ORDER BY anime_id OFFSET 0) t
CROSS JOIN LATERAL (SELECT * FROM anime_entries WHERE user_id = $1 AND anime_id = t.anime_id FOR UPDATE) e
