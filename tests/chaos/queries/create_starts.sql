-- What the bodies of test-worker write. No unique key on effects: a double effect must show.
CREATE TABLE IF NOT EXISTS chaos_starts (job_id bigint NOT NULL, kind text NOT NULL, attempt int NOT NULL,
                                         at timestamptz NOT NULL DEFAULT clock_timestamp())
