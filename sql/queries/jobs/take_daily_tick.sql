-- Takes the tick of a day, $2; no row if it was taken before. The first one at any time, later ones only within the hour:
-- a worker that starts at noon must not run the night's work at noon. If two days were missed, at any time,
-- because the machine is off at night.
INSERT INTO job_ticks (kind, tick_at) VALUES ($1, $2)
ON CONFLICT (kind) DO UPDATE SET tick_at = excluded.tick_at
 WHERE job_ticks.tick_at < excluded.tick_at
   AND (clock_timestamp() < excluded.tick_at + interval '1 hour' OR job_ticks.tick_at < excluded.tick_at - interval '2 days')
RETURNING tick_at
