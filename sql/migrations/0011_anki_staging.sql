-- What a session may stage is bounded, and what ended sessions leave behind is reclaimed within minutes. A session of a
-- program of before this migration has no bound.
ALTER TABLE anki_sessions
  ADD COLUMN staged_bytes bigint NOT NULL DEFAULT 0,
  ADD COLUMN max_staged_bytes bigint NOT NULL DEFAULT 9223372036854775807,
  ADD COLUMN quota_staged_bytes bigint,       -- what the quota had left at start, and some slack; null: no quota
  ADD COLUMN hourly_staged_bytes bigint NOT NULL DEFAULT 4294967296;

-- How fast an account stages, over all its sessions (GCRA): the time by which what it has staged is paid for. Without it,
-- sessions that are started in a loop would outrun the reclaiming. Only accounts that have staged much have a row.
CREATE UNLOGGED TABLE anki_staging_rates (
  user_id bigint PRIMARY KEY,
  paid_until timestamptz NOT NULL
);

-- Staged rows live for seconds, so nearly all of these tables is dead rows soon. By default autovacuum would wait for a
-- fifth of a table, which is measured at its largest, and then pause between pages. The few pages at the start of a table
-- are enough for syncs as usual; VACUUM gives back what is behind them.
-- anki_sessions, too: its config column may hold a whole message.
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
                 AND (c.relname LIKE 'anki\_staged\_%' OR c.relname = 'anki_sessions') LOOP
    EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, '
      'autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0, vacuum_truncate = true, '
      'toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000, '
      'toast.autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_cost_delay = 0, toast.vacuum_truncate = true)', name);
  END LOOP;
END $$;
