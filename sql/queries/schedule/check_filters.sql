-- Which of these do not exist: null is no filter. $1 group  $2 subject  $3 teacher  $4 room  $5 institute
SELECT $1::int IS NOT NULL AND NOT EXISTS (SELECT FROM schedule_groups WHERE group_id = $1) AS is_no_group,
       $2::int IS NOT NULL AND NOT EXISTS (SELECT FROM schedule_subjects WHERE subject_id = $2) AS is_no_subject,
       $3::int IS NOT NULL AND NOT EXISTS (SELECT FROM schedule_teachers WHERE teacher_id = $3) AS is_no_teacher,
       $4::int IS NOT NULL AND NOT EXISTS (SELECT FROM schedule_rooms WHERE room_id = $4) AS is_no_room,
       $5::int IS NOT NULL AND NOT EXISTS (SELECT FROM schedule_institutes WHERE institute_id = $5) AS is_no_institute
