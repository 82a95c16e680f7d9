-- Two unique indexes cannot prevent an address of one account from being the name of another, so every insert
-- of either takes this lock first. Released at the end of the transaction.
SELECT pg_advisory_xact_lock(hashtext('syncline.names')) IS NULL AS done
