-- As find_title_for_entry, for several titles by their ids at MAL.
SELECT anime_id, mal_id, title, image_url, score, episodes FROM anime_titles WHERE mal_id = ANY ($1::int[])
