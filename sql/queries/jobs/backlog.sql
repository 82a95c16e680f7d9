-- Unfinished jobs and those that failed for good, by kind and state. Each state has an index of its own, of which at most
-- $1 rows are read.
SELECT kind, state, count(*) AS jobs FROM (
  (SELECT kind, state FROM jobs WHERE state = 'waiting' LIMIT $1) UNION ALL
  (SELECT kind, state FROM jobs WHERE state = 'queued' LIMIT $1) UNION ALL
  (SELECT kind, state FROM jobs WHERE state = 'running' LIMIT $1) UNION ALL
  (SELECT kind, state FROM jobs WHERE state = 'dead' LIMIT $1)) AS counted
GROUP BY kind, state
