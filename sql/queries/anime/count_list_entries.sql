-- How many entries a list has; no more than $2 are counted.
-- $1 account  $2 limit
SELECT count(*) AS entries FROM (SELECT FROM anime_entries WHERE user_id = $1 LIMIT $2) e
