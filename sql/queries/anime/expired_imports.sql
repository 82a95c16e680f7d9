-- plan: free
-- Imports past their retention time, of all accounts, except those whose job still runs or waits.
SELECT i.user_id, i.job_id FROM anime_imports i
 WHERE i.created_at < now() - make_interval(days => $1)
   AND NOT EXISTS (SELECT FROM jobs j WHERE j.job_id = i.job_id AND j.state IN ('waiting', 'queued', 'running'))
 ORDER BY i.created_at LIMIT $2
