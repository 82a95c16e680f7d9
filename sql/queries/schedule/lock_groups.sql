-- By ascending id. $1 groups  $2 numbers of the site, whose groups may lose them
SELECT group_id FROM schedule_groups WHERE group_id = ANY ($1::int[]) OR upstream_id = ANY ($2::int[]) ORDER BY group_id FOR NO KEY UPDATE
