-- The newest one of the whole timetable; if there is none, the newest of all.
SELECT
-- include: run_columns
FROM schedule_runs r WHERE r.run_id = coalesce(
  (SELECT w.run_id FROM schedule_runs w WHERE w.kind IN ('full', 'incremental') ORDER BY w.started_at DESC, w.run_id DESC LIMIT 1),
  (SELECT a.run_id FROM schedule_runs a ORDER BY a.started_at DESC, a.run_id DESC LIMIT 1))
