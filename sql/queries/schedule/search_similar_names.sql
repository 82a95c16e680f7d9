-- plan: free
-- The same for a text with typing errors: the most similar names.
-- $1 the text, folded  $2 limit of each kind
SELECT kind, id, name FROM (
  SELECT f.kind, f.id, f.name, row_number() OVER (PARTITION BY f.kind ORDER BY f.likeness DESC, f.name, f.id) AS place
  FROM (SELECT all_names.*, word_similarity($1, search_text) AS likeness
        FROM (
-- include: all_names
        ) all_names) f
  WHERE $1 <% f.search_text) ranked
WHERE place <= $2
ORDER BY kind, place
