-- Written by the bodies of test-worker. No unique key on effects: a duplicate effect must be visible.
CREATE TABLE IF NOT EXISTS chaos_starts (job_id bigint NOT NULL, kind text NOT NULL, attempt int NOT NULL,
                                         at timestamptz NOT NULL DEFAULT clock_timestamp())
