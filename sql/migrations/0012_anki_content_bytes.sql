-- Rows count against the quota, not only files. What a collection's rows take is computed from its counters, at a constant
-- for each row, and from the length of its texts, which is kept by every finish like the counters: content_bytes. It is an
-- estimate (content_generation is not generation) after an upload, until the rows are imported and it is counted anew.
ALTER TABLE anki_collections
  ADD COLUMN content_bytes bigint,            -- notes, objects, tags, graves, and card data of more than 200 bytes
  ADD COLUMN content_generation int,          -- of content_bytes; null or another one: not counted yet
  ADD COLUMN has_long_data boolean NOT NULL DEFAULT true;  -- there may be card data of more than 200 bytes

-- The constants are about what a row takes with its header and index entry: see handlers/anki/README.md.
CREATE FUNCTION anki_row_bytes(cards bigint, notes bigint, revlog bigint) RETURNS bigint
  LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN cards * 200 + notes * 150 + revlog * 120;

-- Everything that counts against a quota. usage holds the bytes of blobs; a service whose rows count adds them here.
CREATE VIEW account_bytes AS
  SELECT user_id, service, bytes FROM usage
   UNION ALL
  SELECT c.user_id, 'anki'::text,
         anki_row_bytes(c.cards, c.notes, c.revlog)
         + coalesce(c.content_bytes, 0)
         + coalesce((SELECT octet_length(f.config) FROM anki_config f
                      WHERE f.user_id = c.user_id AND f.generation = c.generation), 0)
    FROM anki_collections c;
