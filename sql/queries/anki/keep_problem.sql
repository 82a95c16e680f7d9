-- Stores a report. If the account has $6 already, the oldest one is deleted.
WITH oldest AS (
  DELETE FROM anki_problems WHERE user_id = $1 AND problem_id <=
    (SELECT p.problem_id FROM anki_problems p WHERE p.user_id = $1 ORDER BY p.problem_id DESC OFFSET $6::int - 1 LIMIT 1)
)
INSERT INTO anki_problems (user_id, kind, device_id, client, details) VALUES ($1, $2, $3, $4, $5)
