-- New names to be applied later; '': none, the page has the stored name. $1 teachers $2 names
WITH news AS MATERIALIZED (
  SELECT t.teacher_id, n.name FROM unnest($1::bigint[], $2::text[]) AS n(id, name)
  JOIN schedule_teachers t ON t.teacher_id = n.id
  ORDER BY t.teacher_id FOR NO KEY UPDATE OF t
)
UPDATE schedule_teachers SET next_name = nullif(n.name, '') FROM news n WHERE schedule_teachers.teacher_id = n.teacher_id
