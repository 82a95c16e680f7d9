-- Whether the upstream had no such title when last asked.
SELECT until FROM anime_missing WHERE mal_id = $1 AND until > clock_timestamp()
