-- Titles known only from files of an account and not fetched yet; counts at most $2.
-- $1 account  $2 limit
SELECT count(*) AS titles
FROM (SELECT FROM anime_titles WHERE named_by = $1 AND source = 'stub' LIMIT $2) t
