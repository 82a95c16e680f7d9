SELECT known_since FROM anki_collections WHERE user_id = $1
