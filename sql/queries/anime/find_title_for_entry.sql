-- What an entry shows of its title, and what its rules need.
SELECT anime_id, mal_id, title, image_url, score, episodes FROM anime_titles WHERE anime_id = $1
