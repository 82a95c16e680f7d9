-- plan: free
-- What a feed's entity tag and date are made of, without its texts. Parameters as feed_lessons.
--
-- Every visible change of a lesson raises its sequence and its time, the new name of a teacher or a group included; a lesson that
-- comes or goes is one more or one less. The time is in the sum because a restored backup counts sequences again. A lesson that
-- the feed no longer shows takes its time along, so the date is that of the newest change of all groups.
SELECT count(*) AS lessons,
       coalesce(bit_xor(hash_record_extended(ROW(v.lesson_id, v.sequence, v.modified_at), 0)), 0) AS versions,
       (SELECT coalesce(max(changed_at), 'epoch') FROM schedule_groups) AS changed_at
FROM schedule_lessons v
WHERE
-- include: in_feed
