-- plan: free
-- Groups that the site lists, teachers, subjects and rooms that contain all words; those that begin with the text come first.
-- $1 patterns of the words  $2 pattern of texts that begin with what was typed  $3 limit of each kind
-- $4 the longest pattern, because an index serves one
SELECT kind, id, name FROM (
  SELECT f.kind, f.id, f.name,
         row_number() OVER (PARTITION BY f.kind ORDER BY f.search_text LIKE $2::text DESC, length(f.search_text), f.name, f.id) AS place
  FROM (
-- include: all_names
  ) f
  WHERE f.search_text LIKE $4::text AND f.search_text LIKE ALL ($1::text[])) ranked
WHERE place <= $3
ORDER BY kind, place
