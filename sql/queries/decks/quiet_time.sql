-- A time before everything that transactions which are under way have stamped or will stamp. Whoever has read what is there after
-- this statement has all that is older.
SELECT least(now(), (SELECT min(a.xact_start) FROM pg_stat_activity a
                     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_xid IS NOT NULL)) AS at
