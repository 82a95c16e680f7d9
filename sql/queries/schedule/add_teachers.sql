-- As add_subjects. $1 numbers of the site, 0: none  $2 names  $3 keys  $4 search texts  $5 URLs, '': none
INSERT INTO schedule_teachers (upstream_id, full_name, name_key, search_text, profile_url)
SELECT nullif(number, 0), name, key, search, nullif(url, '')
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[]) AS n(number, name, key, search, url)
ORDER BY number, key
ON CONFLICT DO NOTHING
