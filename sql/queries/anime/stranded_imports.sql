-- plan: free
-- Pending imports, of all accounts, whose job will not run again.
-- $1 limit
SELECT i.user_id, i.job_id, coalesce(j.state = 'cancelled', false) AS is_cancelled
FROM anime_imports i LEFT JOIN jobs j ON j.job_id = i.job_id
WHERE i.state = 'pending' AND (j.job_id IS NULL OR j.state IN ('done', 'dead', 'cancelled'))
ORDER BY i.job_id LIMIT $1
