SELECT run_id FROM schedule_runs
WHERE kind = 'client_import' AND requested_by = $1 AND started_at > now() - interval '10 minutes'
ORDER BY started_at DESC LIMIT 1
