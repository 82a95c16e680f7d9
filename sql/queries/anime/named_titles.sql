-- plan: free
-- Which of these titles a list or a history refers to.
-- $1 titles
SELECT anime_id FROM anime_entries WHERE anime_id = ANY ($1::int[])
UNION
SELECT anime_id FROM anime_history WHERE anime_id = ANY ($1::int[])
