SELECT subject_id, name FROM schedule_subjects WHERE subject_id = $1
