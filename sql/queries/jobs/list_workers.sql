SELECT name, threads, started_at, seen_at FROM workers ORDER BY name
