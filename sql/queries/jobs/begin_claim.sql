-- Serializes the claims of all workers: the limits of kinds and the shares of accounts count running rows,
-- and concurrent claims would both count the same free room. Held until the claim commits.
SELECT pg_advisory_xact_lock(7367281643)
