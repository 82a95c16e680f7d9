-- The run in progress: of a group ($1), or of the whole timetable (null).
SELECT run_id FROM schedule_runs
WHERE state IN ('queued', 'running', 'cancelling')
  AND CASE WHEN $1::int IS NULL THEN kind IN ('full', 'incremental') ELSE kind = 'single' AND group_id = $1::int END
ORDER BY run_id DESC LIMIT 1
