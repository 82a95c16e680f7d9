CREATE TABLE IF NOT EXISTS chaos_effects (job_id bigint NOT NULL, kind text NOT NULL,
                                          at timestamptz NOT NULL DEFAULT clock_timestamp())
