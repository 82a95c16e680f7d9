-- What VACUUM leaves: the pages of indexes.
SELECT truncate_empty_staging()
