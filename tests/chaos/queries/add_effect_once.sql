-- An idempotent effect, for bodies that do not use FinishIn.
INSERT INTO chaos_effects (job_id, kind) SELECT $1::bigint, $2 WHERE NOT EXISTS (
  SELECT FROM chaos_effects WHERE job_id = $1)
