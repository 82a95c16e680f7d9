-- Teachers with a new name or a new number. A flapping name is applied at most once a day.
SELECT teacher_id, next_name, renamed_at IS NULL OR renamed_at < clock_timestamp() - interval '1 day' AS may_be_renamed
FROM schedule_teachers
WHERE (next_name IS NOT NULL OR has_new_number)
  AND (has_new_number OR renamed_at IS NULL OR renamed_at < clock_timestamp() - interval '1 day')
ORDER BY teacher_id
