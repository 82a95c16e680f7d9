-- Packages that were sent to be imported, and what became of them. The job does the work; this row is what its owner asks
-- for. It lives longer than the job's row, and keeps the package (a reference of the service 'anki') until it is done.
CREATE TABLE anki_imports (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  job_id bigint NOT NULL,
  kind text NOT NULL CHECK (kind IN ('apkg', 'colpkg')),
  options text NOT NULL,                      -- a JSON object
  file_name text,                             -- as sent
  file_bytes bigint NOT NULL,
  blob_id bigint,                             -- null once the import has ended
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed')),
  code text,                                  -- why it has failed; public
  message text,                               -- the same in words
  report text,                                -- a JSON object: what was imported
  created_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (user_id, job_id),
  CHECK ((state = 'pending') = (finished_at IS NULL))
);
