-- Deletes workers that ended without removing their row. Kept for a day, so that `doctor` can name them.
DELETE FROM workers WHERE seen_at < now() - interval '1 day'
