-- Two unique indexes cannot keep an address of one account from being the name of another: who adds either takes this lock
-- first. Released at the end of the transaction.
SELECT pg_advisory_xact_lock(hashtext('syncline.names')) IS NULL AS done
