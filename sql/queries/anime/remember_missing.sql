-- Records that the upstream has no such title, unless it was stored meanwhile.
-- $1 id at MAL  $2 for how many seconds
INSERT INTO anime_missing (mal_id, until)
SELECT $1, clock_timestamp() + $2::bigint * interval '1 second'
WHERE NOT EXISTS (SELECT FROM anime_titles WHERE mal_id = $1)
ON CONFLICT (mal_id) DO UPDATE SET until = excluded.until
