-- The fields of a title that an entry shows, and those that its rules need.
SELECT anime_id, mal_id, title, image_url, score, episodes FROM anime_titles WHERE anime_id = $1
