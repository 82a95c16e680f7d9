-- For the transaction: a plan made while the table was empty would read all of it, and would be kept while the table
-- grows to a million rows. No bitmaps either: only a plain index scan takes note of dead entries, of which the indexes
-- of short-lived states collect thousands a second.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)
