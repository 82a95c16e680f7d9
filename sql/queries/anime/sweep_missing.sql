DELETE FROM anime_missing WHERE until < clock_timestamp()
