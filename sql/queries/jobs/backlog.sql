-- Unfinished and dead jobs, by kind and state. Reads at most $1 rows of each state, through the index of that
-- state.
SELECT kind, state, count(*) AS jobs FROM (
  (SELECT kind, state FROM jobs WHERE state = 'waiting' LIMIT $1) UNION ALL
  (SELECT kind, state FROM jobs WHERE state = 'queued' LIMIT $1) UNION ALL
  (SELECT kind, state FROM jobs WHERE state = 'running' LIMIT $1) UNION ALL
  (SELECT kind, state FROM jobs WHERE state = 'dead' LIMIT $1)) AS counted
GROUP BY kind, state
