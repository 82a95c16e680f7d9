-- plan: free
-- $1 account  $2 limit
SELECT g.genre_id, g.name, count(*) AS entries, round(avg(e.score)::numeric, 2)::float8 AS mean_score
FROM anime_entries e JOIN anime_title_genres l ON l.anime_id = e.anime_id JOIN anime_genres g ON g.genre_id = l.genre_id
WHERE e.user_id = $1 AND g.kind IN ('genre', 'theme')
GROUP BY g.genre_id, g.name ORDER BY count(*) DESC, g.name LIMIT $2
