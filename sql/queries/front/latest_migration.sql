-- The schema this database has. A binary compares it with the newest migration it was built with.
SELECT coalesce(max(number), 0)::int8 AS number FROM schema_migrations
