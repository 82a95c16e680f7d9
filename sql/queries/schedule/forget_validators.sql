-- Deletes the entity tag and date of pages whose URL has changed. $1 groups with a new number at the site
UPDATE schedule_group_states SET etag = NULL, last_modified = NULL WHERE group_id = ANY ($1::int[])
