-- Serializes the claims of all workers: the limits of kinds and the shares of accounts count running rows,
-- and concurrent claims would both count the same free room. Held until the claim commits; by a worker that the
-- network has lost for five seconds, and not for the minute of other transactions: no worker gets a job meanwhile.
SELECT pg_advisory_xact_lock(7367281643), set_config('idle_in_transaction_session_timeout', '5000', true)
