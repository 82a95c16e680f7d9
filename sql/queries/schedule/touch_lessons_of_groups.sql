-- Calendars show another name of the group now: in a term, and cancelled lessons of a month. $1 groups, locked  $2 today
UPDATE schedule_lessons SET sequence = sequence + 1, modified_at = greatest(clock_timestamp(), modified_at)
WHERE group_id = ANY ($1::int[]) AND (removed_at IS NULL OR removed_at > clock_timestamp() - interval '32 days')
  AND (slot_date IS NULL OR slot_date > $2::text::date - 366)
