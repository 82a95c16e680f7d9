SELECT kind, id, usn FROM anki_graves WHERE user_id = $1 AND generation = $2 AND usn >= $3
 ORDER BY usn  -- makes the planner use the index on usn even before the table has statistics
