-- Titles that files of an account have named and nobody has fetched yet; no more than $2 are counted.
-- $1 account  $2 limit
SELECT count(*) AS titles
FROM (SELECT FROM anime_titles WHERE named_by = $1 AND source = 'stub' LIMIT $2) t
