-- Stores a report. Earlier ones of the same subject ($7, null: none) and device become part of it. If the account has $6 others
-- already, the oldest one is deleted.
WITH same AS (
  DELETE FROM anki_problems WHERE user_id = $1 AND kind = $2 AND device_id = $3 AND subject = $7
  RETURNING times, coalesce(first_at, happened_at) AS first_at
), oldest AS (
  DELETE FROM anki_problems
   WHERE user_id = $1 AND (kind = $2 AND device_id = $3 AND subject = $7) IS NOT TRUE AND problem_id <=
    (SELECT p.problem_id FROM anki_problems p
      WHERE p.user_id = $1 AND (p.kind = $2 AND p.device_id = $3 AND p.subject = $7) IS NOT TRUE
      ORDER BY p.problem_id DESC OFFSET $6::int - 1 LIMIT 1)
)
INSERT INTO anki_problems (user_id, kind, device_id, client, details, subject, times, first_at)
SELECT $1, $2, $3, $4, $5, $7, least(1 + coalesce(sum(s.times), 0), 1000000000)::int, min(s.first_at) FROM same s
