-- For the doctor. data_directory is null for roles that may not see it.
SELECT current_setting('server_version') AS version,
       clock_timestamp() AS now,
       pg_database_size(current_database()) AS size_bytes,
       (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS data_directory,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       current_setting('max_connections')::int AS max_connections
