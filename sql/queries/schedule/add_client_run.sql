INSERT INTO schedule_runs (kind, trigger, requested_by, state, finished_at)
VALUES ('client_import', 'client', $1, 'success', now())
RETURNING run_id
