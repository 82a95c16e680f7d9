-- Entity tag and date were those of another address. $1 groups, whose number at the site is another one now
UPDATE schedule_group_states SET etag = NULL, last_modified = NULL WHERE group_id = ANY ($1::int[])
