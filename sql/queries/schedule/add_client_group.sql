-- A group may come several times within one run.
-- $1 run  $2 group  $3 state  $4 found  $5 added  $6 changed  $7 removed  $8 lessons that could not be read
INSERT INTO schedule_run_groups AS g (run_id, group_id, position, state, attempts, found, added, changed, removed, warnings, finished_at)
VALUES ($1, $2, (SELECT count(*) + 1 FROM schedule_run_groups WHERE run_id = $1), $3, 1, $4, $5, $6, $7, $8, now())
ON CONFLICT (run_id, group_id) DO UPDATE
SET state = excluded.state, attempts = g.attempts + 1, found = excluded.found, added = g.added + excluded.added,
    changed = g.changed + excluded.changed, removed = g.removed + excluded.removed, warnings = g.warnings + excluded.warnings,
    finished_at = now()
