-- Does nothing if the URL belongs to another group by now. $1 group $2 entity tag or null $3 Last-Modified or
-- null
-- $4 number of the site
UPDATE schedule_group_states SET etag = $2, last_modified = $3
WHERE group_id = $1 AND EXISTS (SELECT FROM schedule_groups g WHERE g.group_id = $1 AND g.upstream_id = $4) AND (etag IS DISTINCT FROM $2 OR last_modified IS DISTINCT FROM $3)
