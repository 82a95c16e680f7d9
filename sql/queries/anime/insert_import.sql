-- $1 account  $2 job  $3 strategy  $4 whether it is a dry run  $5 entries of the file  $6 its bytes  $7 its blob
INSERT INTO anime_imports (user_id, job_id, strategy, is_dry_run, entries, file_bytes, blob_id) VALUES ($1, $2, $3, $4, $5, $6, $7)
