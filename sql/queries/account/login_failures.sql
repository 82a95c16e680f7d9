-- Uses the database's clock: the processes that count may run on several machines.
SELECT subject, failures, extract(epoch FROM now() - last_at)::float8 AS age_s FROM login_failures WHERE subject = ANY ($1)
