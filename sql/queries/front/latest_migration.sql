-- The newest migration applied here. A binary compares it with the newest one it was built with.
SELECT coalesce(max(number), 0)::int8 AS number FROM schema_migrations
