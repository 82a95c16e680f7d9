-- Takes the current tick of a kind; no row if it was taken before. Ticks are aligned to the epoch by the
-- database's clock, so all workers agree. Ticks missed while no worker ran are skipped.
-- $1 kind  $2 period in seconds
INSERT INTO job_ticks (kind, tick_at)
VALUES ($1, to_timestamp(floor(extract(epoch FROM clock_timestamp()) / $2::bigint) * $2::bigint))
ON CONFLICT (kind) DO UPDATE SET tick_at = excluded.tick_at WHERE job_ticks.tick_at < excluded.tick_at
RETURNING tick_at
