SELECT day_offset FROM schedule_site WHERE site_id = 1
