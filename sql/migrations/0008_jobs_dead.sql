-- Jobs that failed for good are counted by the doctor and at every scrape of the metrics, beside any number of jobs that
-- are done.
CREATE INDEX jobs_dead ON jobs (kind) WHERE state = 'dead';
