-- plan: free
-- A page of the titles that match all filters; null: no filter.
-- $1 to $4 and $6 to $10: see title_filter.part  $5 pattern for search_text
-- $11 order: score, title, newest, members; each is that of an index  $12 limit  $13 offset
SELECT
-- include: title_columns
FROM (
  SELECT t.anime_id, row_number() OVER () AS place FROM (
    SELECT t.anime_id FROM anime_titles t
    WHERE ($5::text IS NULL OR t.search_text LIKE $5) AND
-- include: title_filter
    ORDER BY CASE WHEN $11::text = 'title' THEN lower(left(t.title, 255)) END,
             CASE WHEN $11 = 'newest' THEN t.created_at END DESC,
             CASE WHEN $11 = 'members' THEN t.members END DESC NULLS LAST,
             t.score DESC NULLS LAST, t.anime_id
    LIMIT $12 OFFSET $13) t
) p JOIN anime_shown v ON v.anime_id = p.anime_id
ORDER BY p.place
