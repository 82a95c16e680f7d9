-- plan: free
-- Per account, the newest point past the retention time of $1 days.
SELECT DISTINCT ON (user_id) user_id, generation, usn FROM anki_points
 WHERE finished_at < now() - make_interval(days => $1) ORDER BY user_id, generation DESC, usn DESC LIMIT $2
