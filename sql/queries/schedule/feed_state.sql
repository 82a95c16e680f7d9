-- plan: free
-- The basis of a feed's entity tag and date, without its texts. Parameters as feed_lessons.
--
-- Every visible change of a lesson raises its sequence and its time, the new name of a teacher or a group included; a lesson that
-- comes or goes is one more or one less. The sum includes the time, because a restored backup repeats
-- sequences. A lesson that the feed no longer shows would take its time with it, so the date is that of the
-- newest change of all groups.
SELECT count(*) AS lessons,
       coalesce(bit_xor(hash_record_extended(ROW(v.lesson_id, v.sequence, v.modified_at), 0)), 0) AS versions,
       (SELECT coalesce(max(changed_at), 'epoch') FROM schedule_groups) AS changed_at
FROM schedule_lessons v
WHERE
-- include: in_feed
