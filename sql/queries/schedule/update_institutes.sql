-- $1 institutes  $2 numbers of the site, 0: none  $3 names  $4 keys
UPDATE schedule_institutes SET upstream_id = nullif(n.number, 0), name = n.name, name_key = n.key, is_active = true,
       last_seen_at = clock_timestamp(), updated_at = clock_timestamp()
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[]) AS n(id, number, name, key)
WHERE schedule_institutes.institute_id = n.id
