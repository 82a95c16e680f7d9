-- Workers that ended without saying so. A day, so that `doctor` can still name them.
DELETE FROM workers WHERE seen_at < now() - interval '1 day'
