-- Deletes stale counts, at most $1.
DELETE FROM login_failures WHERE subject = ANY (ARRAY(
  SELECT subject FROM login_failures WHERE last_at < now() - interval '1 day' LIMIT $1))
