-- plan: free
-- Titles similar to a text that no title contains, the most similar ones first; and only those that match all
-- filters, as in search_titles.
-- $1 to $4 and $6 to $10: see title_filter.part  $5 pattern for search_text
-- $11 the text  $12 limit  $13 offset
SELECT
-- include: title_columns
FROM (
  SELECT t.anime_id, row_number() OVER () AS place FROM (
    SELECT t.anime_id FROM anime_titles t
    WHERE $11::text <% t.search_text AND NOT EXISTS (SELECT FROM anime_titles o WHERE o.search_text LIKE $5)
    AND
-- include: title_filter
    ORDER BY word_similarity($11, t.search_text) DESC, t.score DESC NULLS LAST, t.anime_id
    LIMIT $12 OFFSET $13) t
) p JOIN anime_shown v ON v.anime_id = p.anime_id
ORDER BY p.place
