-- An import with its job, which may be gone by now.
SELECT i.kind, i.options, i.file_name, i.file_bytes, i.blob_id, i.state, i.code, i.message, i.report,
       j.state AS job_state, j.progress_done, j.progress_total, j.progress_message
  FROM anki_imports i LEFT JOIN jobs j ON j.job_id = i.job_id AND j.kind = 'anki.import_package'
 WHERE i.user_id = $1 AND i.job_id = $2
