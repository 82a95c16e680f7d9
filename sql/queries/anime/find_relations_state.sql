-- $1 title
SELECT mal_id, relations_at IS NOT NULL OR source = 'manual' AS are_known FROM anime_titles WHERE anime_id = $1
