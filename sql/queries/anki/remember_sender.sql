-- Writes nothing if it was written within the last $2 seconds.
INSERT INTO anki_senders AS s (network, seen_at) VALUES ($1, now())
ON CONFLICT (network) DO UPDATE SET seen_at = excluded.seen_at
WHERE s.seen_at < now() - make_interval(secs => $2)
