-- Media of Anki. The bytes of a file are a blob, referenced by the service 'anki_media'; a file is a row with a name.

-- The head: one row an account, and the lock of all changes. Its counters are kept by every batch.
CREATE TABLE anki_media (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  last_usn int NOT NULL DEFAULT 0 CHECK (last_usn >= 0),    -- of the newest change
  files bigint NOT NULL DEFAULT 0 CHECK (files >= 0),       -- without deleted ones
  bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),       -- of these files
  row_bytes bigint NOT NULL DEFAULT 0 CHECK (row_bytes >= 0),  -- what rows of the next two tables count with
  history_since timestamptz,                  -- not later than the oldest row of anki_media_history; null: there is none
  PRIMARY KEY (user_id)
) WITH (fillfactor = 50);

-- One row for each name that ever had a file: deleted ones stay, because a device may ask for changes at any time.
-- No foreign key: rows are only inserted under the lock of their head, whose own reference is enough.
CREATE TABLE anki_media_files (
  user_id bigint NOT NULL,
  name text NOT NULL,                         -- NFC, at most 255 bytes
  usn int NOT NULL CHECK (usn > 0),
  size_bytes int NOT NULL CHECK (size_bytes >= 0),  -- 0: deleted, and the next three are null
  crc32 bigint,                               -- for the zips of downloads
  blob_id bigint,
  sha1 bytea CHECK (length(sha1) = 20),
  changed_at timestamptz NOT NULL,
  device_id bigint NOT NULL,                  -- that sent it; no foreign key: the file outlives the device
  CHECK (num_nulls(crc32, blob_id, sha1) = CASE WHEN size_bytes = 0 THEN 3 ELSE 0 END)
);
-- Devices ask for what is newer than a usn. No two files share one.
CREATE UNIQUE INDEX anki_media_files_usn ON anki_media_files (user_id, usn);
-- Last, because of indexes that look equally good PostgreSQL takes the youngest (0005).
ALTER TABLE anki_media_files ADD PRIMARY KEY (user_id, name);

-- Files as they were before they were replaced or deleted, for the retention time. A row holds the reference to the blob
-- that the file's row held.
CREATE TABLE anki_media_history (
  user_id bigint NOT NULL,
  replaced_usn int NOT NULL,                  -- of the change that replaced it
  replaced_at timestamptz NOT NULL,
  name text NOT NULL,
  usn int NOT NULL,
  size_bytes int NOT NULL,
  crc32 bigint NOT NULL,
  blob_id bigint NOT NULL,
  sha1 bytea NOT NULL,
  changed_at timestamptz NOT NULL,            -- it was current from this time to replaced_at
  device_id bigint NOT NULL,
  PRIMARY KEY (user_id, replaced_usn)
);

-- The rows count against the quota; the bytes of the blobs are in usage.
CREATE OR REPLACE VIEW account_bytes AS
  SELECT user_id, service, bytes FROM usage
   UNION ALL
  SELECT c.user_id, 'anki'::text,
         anki_row_bytes(c.cards, c.notes, c.revlog)
         + coalesce(c.content_bytes, 0)
         + coalesce((SELECT octet_length(f.config) FROM anki_config f
                      WHERE f.user_id = c.user_id AND f.generation = c.generation), 0)
    FROM anki_collections c
   UNION ALL
  SELECT m.user_id, 'anki_media'::text, m.row_bytes FROM anki_media m;
