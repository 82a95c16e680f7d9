-- Counts what an ended session has staged, as seconds of the account's hourly rate.
INSERT INTO anki_staging_rates AS r (user_id, paid_until) VALUES ($1, now() + make_interval(secs => $2))
ON CONFLICT (user_id) DO UPDATE SET paid_until = greatest(r.paid_until, now()) + (excluded.paid_until - now())
