-- Room in the quota of an account for bytes that are being written, so that parallel writers together never pass it. A
-- row lives as long as its writer; that of a killed writer expires. Unlogged: a crash of PostgreSQL ends every writer,
-- and the reference that follows a write is checked in any case.
CREATE UNLOGGED TABLE blob_reservations (
  user_id bigint NOT NULL,
  reservation_id bigint NOT NULL,                   -- random, chosen by the writer: a repeated statement adds no second row
  bytes bigint NOT NULL CHECK (bytes >= 0),
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, reservation_id)
);
