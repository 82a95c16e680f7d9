-- plan: free
-- $1 states, none: all
SELECT count(*) AS runs FROM schedule_runs r WHERE cardinality($1::text[]) = 0 OR r.state = ANY ($1::text[])
