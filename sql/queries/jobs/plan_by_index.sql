-- For the transaction: no bitmaps. Only a plain index scan takes note of dead entries, of which the indexes of short-lived
-- states collect thousands a second. (That no plan reads the whole table is a setting of every session.)
SELECT set_config('enable_bitmapscan', 'off', true)
