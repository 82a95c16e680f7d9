-- When attempts of the kinds with a rate began (JobKind::rate in handlers/base/job.h). One row a kind, written by claims, which
-- are serialised. The previous version of the programs does not know it, and claims without regard to rates.
CREATE TABLE job_rates (
  kind text PRIMARY KEY,
  starts timestamptz[] NOT NULL   -- ascending; those within the time of the rate
) WITH (fillfactor = 50);
