-- Records the result of the entries up to $4. No row: the import has ended, or another worker is doing it.
-- $1 account  $2 job  $3 entries done before  $4 entries done now  $5 added  $6 updated  $7 unchanged  $8 kept  $9 failed
-- $10 warnings  $11 titles that were unknown
UPDATE anime_imports SET read = $4, added = $5, updated = $6, unchanged = $7, kept = $8, failed = $9, warnings = $10,
       unknown_titles = $11
WHERE user_id = $1 AND job_id = $2 AND read = $3 AND state = 'pending'
