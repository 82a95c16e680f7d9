SELECT EXISTS (SELECT FROM schedule_lessons
               WHERE group_id = $1 AND removed_at IS NULL AND (slot_date IS NULL OR slot_date >= $2::text::date)) AS has_any
