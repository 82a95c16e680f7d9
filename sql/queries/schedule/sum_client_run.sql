UPDATE schedule_runs r
SET groups_total = s.total, groups_done = s.total, groups_updated = s.updated, groups_unchanged = s.unchanged, groups_held = s.held,
    lessons_added = s.added, lessons_changed = s.changed, lessons_removed = s.removed, warnings = s.warnings, finished_at = now()
FROM (SELECT
-- include: run_totals
      FROM schedule_run_groups g WHERE g.run_id = $1) s
WHERE r.run_id = $1
