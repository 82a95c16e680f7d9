-- Bytes on disk of the tables of staged rows, and bytes that live sessions have staged.
SELECT (SELECT sum(pg_table_size(t.name)) FROM unnest(ARRAY['anki_staged_cards', 'anki_staged_notes', 'anki_staged_revlog',
          'anki_staged_graves', 'anki_staged_objects', 'anki_staged_tags', 'anki_sessions']::regclass[]) AS t (name))::bigint AS disk_bytes,
       (SELECT coalesce(sum(s.staged_bytes), 0) FROM anki_sessions s)::bigint AS staged_bytes
