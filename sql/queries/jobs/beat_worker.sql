INSERT INTO workers (name, threads) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET seen_at = clock_timestamp()
