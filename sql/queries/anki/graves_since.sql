-- One row a kind with all its ids, because a row for each would take ten times the memory. The ids are NULL if there are
-- more than $4 of all kinds.
SELECT kind, CASE WHEN sum(count(*)) OVER () <= $4::bigint THEN array_agg(id) END AS ids
  FROM (SELECT kind, id FROM anki_graves WHERE user_id = $1 AND generation = $2 AND usn >= $3
         ORDER BY usn) AS unseen  -- makes the planner use the index on usn even before the table has statistics
 GROUP BY kind
