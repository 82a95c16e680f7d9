-- One import of an account at a time, until the transaction ends. A lock key of two numbers, which no other
-- lock of ours uses.
SELECT pg_advisory_xact_lock(1935763315, ($1::bigint % 2147483647)::int)
