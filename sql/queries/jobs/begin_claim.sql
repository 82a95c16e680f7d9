-- Claims of all workers one after another: the limits of kinds and the shares of accounts count running rows, and two
-- claims side by side would both count the same room. Held until the claim has committed.
SELECT pg_advisory_xact_lock(7367281643)
