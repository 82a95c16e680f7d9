-- Turns off bitmap scans for the transaction. Only a plain index scan marks dead entries, of which the
-- indexes of short-lived states collect thousands a second. (Plan::kByKey rules out sequential scans.)
SELECT set_config('enable_bitmapscan', 'off', true)
-- Statements that look up rows by id test "is running" as "has a lease" (a CHECK makes them equivalent), and
-- claim_jobs tests "queued" by the row it read: planned on an empty table, they would otherwise scan the
-- index of that state once per id.
