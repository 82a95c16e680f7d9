"""Messages that are large because the notes are: pictures pasted into fields, one note of 40 MB, megabytes of CSS.
Clients pack up to 250 rows into a message whatever their size, and such notes must get through in both directions and
in a file. The pictures are base64 of noise, because it hardly compresses, like a real picture.
"""

import base64
import random
import time

from devices import ClientTest, main

# The longest that a person would wait, also on a machine that runs other tests at the same time.
MOST_SECONDS = 60


def picture(bytes_of_it):
    """An <img> with that many bytes of base64 in it."""
    noise = base64.b64encode(random.randbytes(bytes_of_it * 3 // 4)).decode()
    return f'<img src="data:image/png;base64,{noise}">'


class LargeMessages(ClientTest):
    def setUp(self):
        super().setUp()
        self.began = time.monotonic()

    def tearDown(self):
        took = time.monotonic() - self.began
        print(f"{took:.1f} s ", end="")
        self.assertLess(took, MOST_SECONDS)

    def fill(self, device, count, size):
        """Gives that many notes a picture each and one tag, as the card browser does. One message carries them all."""
        notes = [device.col.get_note(note) for note in device.col.find_notes("")[:count]]
        self.assertEqual(len(notes), count)
        for note in notes:
            note.fields[1] = picture(size)
        device.col.update_notes(notes)
        device.col.tags.bulk_add([note.id for note in notes], "pictures")

    def expect_same(self, *devices):
        """Compares only the large tables: Anki's own check of everything takes seconds for each device."""
        found = [[device.col.db.all("select id, mod, usn, tags, flds from notes order by id"),
                  device.col.db.all("select id, mtime_secs, usn, hex(config) from notetypes order by id")]
                 for device in devices]
        # Not assertEqual: it would print the values.
        self.assertTrue(all(one == found[0] for one in found))
        self.assertEqual([device.count("notes where usn = -1") for device in devices], [0] * len(devices))

    def go_round(self, one, two):
        """Sends the notes up and down by syncs, back with an edit, down as a built file, and up as a file."""
        one.sync()
        two.sync()
        self.expect_same(one, two)
        two.col.tags.bulk_add(two.col.find_notes("")[:2], "seen")
        two.sync()
        one.sync()
        third = self.account.device()
        third.download()
        self.expect_same(one, two, third)
        third.col.tags.bulk_add(third.col.find_notes("")[:2], "in the file")
        third.upload()
        self.account.wait_for_import()
        two.download()
        two.col.tags.bulk_remove(two.col.find_notes("tag:seen"), "seen")
        two.sync()
        third.sync()
        self.expect_same(two, third)
        self.assertEqual(third.problems(), "")

    def test_250_notes_of_150_kb(self):
        one, two = self.pair(250)
        self.fill(one, 250, 150_000)
        self.go_round(one, two)

    def test_one_note_of_40_mb(self):
        one, two = self.pair(3)
        self.fill(one, 1, 40_000_000)
        self.go_round(one, two)

    def test_84_notes_of_500_kb(self):
        one, two = self.pair(84)
        self.fill(one, 84, 500_000)
        self.go_round(one, two)

    def test_12_mb_of_css_in_each_of_three_notetypes(self):
        one, two = self.pair(3)
        for name in ("Basic", "Cloze", "Basic (and reversed card)"):
            notetype = one.col.models.by_name(name)
            notetype["css"] += "\n.a { background: url('" + picture(12_000_000).replace("'", "") + "') }"
            one.col.models.update_dict(notetype)
        self.go_round(one, two)


if __name__ == "__main__":
    main()
