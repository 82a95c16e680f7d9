-- What went wrong between a device and the server, for the operator: the client says only "check database", and what the
-- server knew is gone with the session. A bounded number for each account (keep_problem), gone after the retention time.

CREATE TABLE anki_problems (
  user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  problem_id bigint GENERATED ALWAYS AS IDENTITY,
  happened_at timestamptz NOT NULL DEFAULT now(),
  kind text NOT NULL CHECK (kind IN ('sanity', 'upload')),
  device_id bigint NOT NULL,                  -- no foreign key: the report outlives the device
  client text NOT NULL,                       -- what the client calls its version
  details text NOT NULL,                      -- a JSON object: counts, usns, ids; never texts of notes
  PRIMARY KEY (user_id, problem_id)
);
