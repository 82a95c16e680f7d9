-- A report, in the place of the oldest one where there are $6 already.
WITH oldest AS (
  DELETE FROM anki_problems WHERE user_id = $1 AND problem_id <=
    (SELECT p.problem_id FROM anki_problems p WHERE p.user_id = $1 ORDER BY p.problem_id DESC OFFSET $6::int - 1 LIMIT 1)
)
INSERT INTO anki_problems (user_id, kind, device_id, client, details) VALUES ($1, $2, $3, $4, $5)
