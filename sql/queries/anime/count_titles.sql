-- plan: free
-- How many titles match all filters, as in search_titles.
-- $1 to $4 and $6 to $10: see title_filter.part  $5 pattern for search_text
SELECT count(*) AS titles FROM anime_titles t
WHERE ($5::text IS NULL OR t.search_text LIKE $5) AND
-- include: title_filter
