-- Sessions whose refresh token stays the same, for clients that never store another one. All others rotate theirs, whatever
-- path exchanges it.
ALTER TABLE devices ADD COLUMN is_kept boolean NOT NULL DEFAULT false;

-- Days from our date to the one that the site printed on its last index, for runs that do not read it; and since when its
-- indexes have names that nobody knows under known numbers (null: they do not).
ALTER TABLE schedule_site ADD COLUMN day_offset int NOT NULL DEFAULT 0;
ALTER TABLE schedule_site ADD COLUMN foreign_since timestamptz;

-- What the timetables of a teacher's lessons do not show yet: a new name that was not taken over, a new number.
ALTER TABLE schedule_teachers ADD COLUMN next_name text CHECK (length(next_name) BETWEEN 1 AND 500);
ALTER TABLE schedule_teachers ADD COLUMN has_new_number boolean NOT NULL DEFAULT false;
CREATE INDEX schedule_teachers_due ON schedule_teachers (teacher_id) WHERE next_name IS NOT NULL OR has_new_number;
