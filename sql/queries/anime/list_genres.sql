-- plan: free
-- $1 whether all kinds are wanted
SELECT g.genre_id, g.mal_id, g.name, g.kind,
       (SELECT count(*) FROM anime_title_genres l WHERE l.genre_id = g.genre_id) AS titles
FROM anime_genres g WHERE $1::boolean OR g.kind IN ('genre', 'theme') ORDER BY g.name, g.genre_id
