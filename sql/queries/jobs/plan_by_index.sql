-- For the transaction: no bitmaps. Only a plain index scan takes note of dead entries, of which the indexes of short-lived
-- states collect thousands a second. (That no plan reads the whole table is what Plan::kByKey is for.)
SELECT set_config('enable_bitmapscan', 'off', true)
-- Statements that look rows up by their ids say "is running" as "has a lease" (a CHECK makes them one), and claim_jobs
-- says "queued" by the row it read: planned on an empty table, they would else go through the index of that state,
-- once for each id.
