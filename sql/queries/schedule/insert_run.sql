-- Admission. No row: such a run is in progress. $1 kind $2 trigger $3 account or null $4 group or null
INSERT INTO schedule_runs (kind, trigger, requested_by, group_id, state) VALUES ($1, $2, $3, $4, 'queued')
ON CONFLICT DO NOTHING
RETURNING run_id
