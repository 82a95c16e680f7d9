-- For the timer: whether a run is in progress, when the last successful one ended, and when the last
-- successful full one began.
SELECT EXISTS (SELECT FROM schedule_runs WHERE kind IN ('full', 'incremental') AND state IN ('queued', 'running', 'cancelling')) AS is_active,
       (SELECT finished_at FROM schedule_runs WHERE kind IN ('full', 'incremental') AND state IN ('success', 'partial')
        ORDER BY finished_at DESC LIMIT 1) AS good_at,
       (SELECT started_at FROM schedule_runs WHERE kind = 'full' AND state IN ('success', 'partial')
        ORDER BY finished_at DESC LIMIT 1) AS full_at
