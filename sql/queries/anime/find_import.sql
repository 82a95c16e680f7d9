-- An import with the state of its job, which may be gone by now.
SELECT i.strategy, i.is_dry_run, i.entries, i.file_bytes, i.blob_id, i.state, i.code, i.read, i.added, i.updated, i.unchanged,
       i.kept, i.failed, i.warnings, i.unknown_titles, i.created_at, i.finished_at, j.state AS job_state, j.progress_done
  FROM anime_imports i LEFT JOIN jobs j ON j.job_id = i.job_id AND j.kind = 'anime.import_list'
 WHERE i.user_id = $1 AND i.job_id = $2
