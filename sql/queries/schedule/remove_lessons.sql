-- $1 group  $2 lessons
UPDATE schedule_lessons SET removed_at = clock_timestamp(), sequence = sequence + 1,
       modified_at = greatest(clock_timestamp(), modified_at)
WHERE lesson_id = ANY ($2::bigint[]) AND group_id = $1
