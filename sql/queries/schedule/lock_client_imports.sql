-- One import of an account at a time, until the transaction ends. Two numbers: no other lock of ours has such a pair.
SELECT pg_advisory_xact_lock(1935763315, ($1::bigint % 2147483647)::int)
