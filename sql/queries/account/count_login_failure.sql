-- After $2 seconds without a failure the count restarts. Inserts in one order, or concurrent calls could
-- deadlock.
INSERT INTO login_failures (subject, failures, last_at)
SELECT subject, 1, now() FROM unnest($1::bytea[]) AS subject ORDER BY subject
ON CONFLICT (subject) DO UPDATE
SET failures = CASE WHEN login_failures.last_at < now() - make_interval(secs => $2) THEN 1
                    ELSE least(login_failures.failures + 1, 1000) END,
    last_at = now()
