"""Two real devices work and sync. Then the collection is restored to before each of their syncs: a fresh device gets
its state at that time, row for row, and all devices get the media files, byte for byte, by an ordinary media sync.

    time_travel_test.py                       a few fixed seeds, then a fresh one
    time_travel_test.py --seed 17             this one only
    time_travel_test.py --seconds 600         fresh seeds for that long

SYNCLINE_TIME_TRAVEL_NOTES is the size of the large collection (20,000 takes a minute).
"""

import argparse
import contextlib
import hashlib
import os
import random
import re
import secrets
import sys
import threading
import time

from devices import Account, ClientTest, admin, contents, main, sql, try_admin
from random_device import Nothing, Person

FIXED_SEEDS = (1, 2, 3)
LARGE = int(os.environ.get("SYNCLINE_TIME_TRAVEL_NOTES", "1000"))
MAX_SECONDS = 60  # for a restore of the large collection
OPERATIONS = (
    "add_note", "add_note", "add_many", "change_many", "edit_note", "edit_note", "edit_tags", "remove_notes", "remove_cards",
    "find_replace", "answer", "answer", "suspend", "unsuspend", "bury", "unbury", "flag", "move_cards", "set_due", "forget",
    "create_deck", "rename_deck", "reparent_deck", "remove_deck", "swap_decks", "describe_deck", "create_filtered",
    "rebuild_filtered", "empty_filtered", "remove_filtered", "answer_in_filtered", "add_preset", "edit_preset",
    "assign_preset", "edit_css", "edit_template", "rename_field", "rename_notetype", "swap_notetypes", "copy_notetype",
    "add_tags", "remove_tags", "rename_tag", "delete_tag", "undo", "set_key", "remove_key", "preferences")
MEDIA_NAMES = [f"f{n}" for n in range(9)] + ["\u6f22.png", "A.png", "a.png"]
# An account's first line is its collection; the syncs that it has seen follow, newest first.
SYNC_LINE = re.compile(r"^(\d+\.\d+) ", re.M)


def syncs(account):
    """Ids of the points of its history, oldest first."""
    return SYNC_LINE.findall(admin("anki", "history", account.name))[::-1]


def difference(expected, found):
    for table in expected:
        if table == "col":  # a restore gives a new schema time
            left, right = [row[0] for row in expected[table]], [row[0] for row in found[table]]
        else:
            left, right = expected[table], found[table]
        if left != right:
            yield (f"{table}: missing {[row for row in left if row not in right][:3]}, "
                   f"unexpected {[row for row in right if row not in left][:3]}")


def change_media(device, chance):
    """A few files added, replaced (some by what another one has) or removed."""
    for _ in range(chance.randint(1, 4)):
        name = chance.choice(MEDIA_NAMES)
        if chance.random() < 0.3:
            if (device.folder() / name).exists():
                device.remove_media(name)
        else:
            data = b"%d" % chance.randrange(4) if chance.random() < 0.3 else chance.randbytes(chance.choice((1, 500, 70_000)))
            device.put_media(name, data)


@contextlib.contextmanager
def another_user_syncs():
    """All the time, with changes each time. Gives the list of the seconds that each sync took."""
    account, took, problems, done = Account(), [], [], threading.Event()
    device = account.device()
    device.add_notes(10)
    device.upload()

    def work():
        while not done.is_set():
            try:
                device.add_note(f"meanwhile {len(took)}")
                begin = time.monotonic()
                device.sync()
                took.append(time.monotonic() - begin)
            except Exception as problem:  # pylint: disable=broad-except
                problems.append(problem)
                return
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield took
    finally:
        done.set()
        thread.join()
        account.close()
    assert not problems, problems
    assert took, "the other user never synced"


class LargeRestore(ClientTest):
    """A large collection with media, and what people do to it by mistake."""

    def fill(self):
        one = self.account.device()
        note = one.add_note("first")
        card = note.cards()[0].id
        fronts = [f"front {n}" for n in range(1, LARGE)]
        one.col.db.executemany(
            "insert into notes select id + ?, guid || ?, mid, mod, usn, ' some tags ', ? || char(31) || 'back', ?, ?, 0, '' from notes where id = ?",
            [(n * 10, n, front, front, int(hashlib.sha1(front.encode()).hexdigest()[:8], 16), note.id) for n, front in enumerate(fronts, 1)])
        one.col.db.execute("insert into cards select c.id + n.id - ?, n.id, c.did, c.ord, c.mod, c.usn, c.type, c.queue, c.due, c.ivl, c.factor,"
                           " c.reps, c.lapses, c.left, c.odue, c.odid, c.flags, c.data from cards c, notes n where c.id = ? and n.id <> ?",
                           note.id, card, note.id)
        one.reopen()
        one.answer("Default", 20)
        for n in range(LARGE // 20):
            (one.folder() / f"file {n}.bin").write_bytes(random.Random(n).randbytes(500 + n * 97 % 20_000))
        one.upload().sync_media()
        self.account.wait_for_import()
        return one, contents(one), one.media()

    def spoil_media(self, device):
        for n, path in enumerate(sorted(device.folder().iterdir())):
            if n % 2:
                path.unlink()
        device.put_media("file 0.bin", b"by mistake")
        device.put_media("by mistake", b"by mistake")
        device.sync_media()

    def assert_back(self, rows, files, target, devices):
        with another_user_syncs() as took:
            begin = time.monotonic()
            text = admin("anki", "restore", self.account.name, *target)
            seconds = time.monotonic() - begin
            syncs_meanwhile = len(took)
        print(f"  {LARGE} notes, {len(files)} files: restored in {seconds:.1f} s; meanwhile another user synced {syncs_meanwhile}"
              f" times, the longest took {max(took):.2f} s", flush=True)
        self.assertLess(seconds, MAX_SECONDS)
        self.assertRegex(text, r"Media: \d+ files are back, 1 file that was added since is gone")
        for device in (*devices, self.account.device()):
            device.download().sync_media()
            self.assertEqual(list(difference(rows, contents(device))), [])
            self.assertTrue(device.media() == files)
            self.assertEqual(device.problems(), "")

    def test_a_wrong_upload_is_undone(self):
        one, rows, files = self.fill()
        wrong = self.account.device()
        wrong.add_notes(3)
        wrong.upload()
        one.download()
        self.spoil_media(one)
        self.assert_back(rows, files, ("--at", "1"), (one, wrong))

    def test_a_sync_that_deleted_many_notes_is_undone(self):
        one, rows, files = self.fill()
        ids = one.col.db.list("select id from notes order by id")
        one.col.remove_notes(ids[::4])
        one.sync()
        self.spoil_media(one)
        one.add_note("after it")
        one.sync()
        point = syncs(self.account)[-2]
        self.assertIn(f"{len(ids[::4])} notes deleted", admin("anki", "history", self.account.name))
        self.assert_back(rows, files, ("--before", point), (one,))


class TimeTravel(ClientTest):
    def fresh(self):
        """The contents of a device that downloads now."""
        device = self.account.device().download()
        found = contents(device)
        problems = device.problems()
        device.col.close()
        self.account.devices.remove(device)
        return found, problems

    def assert_media(self, files, what, devices=()):
        """These devices and a new one have these files after a media sync."""
        new = self.account.device().download()
        for device in (*devices, new):
            found = device.sync_media().media()
            self.assertEqual({name for name, data in found.items() if files.get(name) != data}, set(), what)
            self.assertEqual(set(files), set(found), what)
        new.col.close()
        self.account.devices.remove(new)

    def work(self, seed, steps=40):
        """({id of a sync: contents and files before it}, contents and files in the end)"""
        chance = random.Random(seed)
        devices = self.pair(10)
        self.account.wait_for_import()
        before, state, zero = {}, (self.fresh()[0], {}), int(time.time()) * 1000
        for _ in range(steps):
            device = chance.choice(devices)
            for _ in range(chance.randint(1, 4)):
                name = chance.choice(OPERATIONS)
                try:
                    getattr(Person(device, chance.randrange(1 << 30), zero), name)()
                except Nothing:
                    pass
                except Exception:  # pylint: disable=broad-except
                    pass  # refused by the client
            known = set(syncs(self.account))
            if device.required() not in (0, 1):  # a schema change
                self.fail("a full sync is required")
            for point in set(syncs(self.account)) - known:
                before[point] = state
            if chance.random() < 0.6:
                change_media(device, chance)
            state = self.fresh()[0], device.sync_media().media()
        return before, state

    def check_seed(self, seed):
        before, last = self.work(seed)
        chance = random.Random(seed)
        points = sorted(before)
        chance.shuffle(points)
        for point in points[:8]:
            admin("anki", "restore", self.account.name, "--before", point)
            rows, files = before[point]
            self.assertEqual(list(difference(rows, self.fresh()[0])), [], f"seed {seed}: before {point}")
            self.assert_media(files, f"seed {seed}: before {point}", self.account.devices[:1])
        # What a restore replaces is in the history: the state at the end of the work is the first generation.
        admin("anki", "restore", self.account.name, "--at", "1")
        self.assertEqual(list(difference(last[0], self.fresh()[0])), [], f"seed {seed}: undone")
        self.assert_media(last[1], f"seed {seed}: undone", self.account.devices[:2])
        self.account.devices[0].download().col.set_config("goes on", seed)
        self.account.devices[0].sync()
        self.account.devices[1].download()
        self.assertEqual(list(difference(*map(contents, self.account.devices))), [], f"seed {seed}: goes on")
        self.account.wait_for_import()
        # What clients of today find and repair in what random work makes is no matter here; the server's own checks are.
        self.assertNotIn("a fault of the server", try_admin("anki", "check", self.account.name)[1])

    def test_random_work(self):
        seeds = list(OPTIONS.seed or FIXED_SEEDS)
        end = time.monotonic() + (OPTIONS.seconds or 0)
        if not OPTIONS.seed:
            seeds.append(secrets.randbelow(10**9))
        while seeds or time.monotonic() < end:
            seed = seeds.pop(0) if seeds else secrets.randbelow(10**9)
            self.setUp()
            self.check_seed(seed)

    def test_a_sync_that_deleted_everything_is_undone(self):
        one, two = self.pair(0)
        ids = one.add_notes(200, prefix="kept")
        one.answer("Default", 20)
        one.sync()
        two.sync()
        before, _ = self.fresh()
        two.col.remove_notes(two.col.find_notes(""))
        two.sync()
        self.assertEqual(self.fresh()[0]["notes"], [])
        last = syncs(self.account)[-1]
        self.assertIn("200 notes deleted", admin("anki", "history", self.account.name))
        admin("anki", "restore", self.account.name, "--before", last)
        self.assertEqual(list(difference(before, self.fresh()[0])), [])
        self.assertEqual(len(ids), 200)
        one.download()
        self.assertEqual(one.problems(), "")

    def test_media_come_back_with_the_collection(self):
        """And a restore is undone like anything else; a repeated one changes no file."""
        one, two = self.pair(3)
        for name in ("kept", "deleted", "replaced", "twice"):
            one.put_media(name, name.encode() * 1000)
        one.sync().sync_media()
        two.sync().sync_media()
        before = two.media()
        two.col.remove_notes(two.col.find_notes(""))
        two.sync()
        two.remove_media("deleted")
        two.put_media("replaced", b"by mistake")
        two.put_media("added", b"by mistake")
        two.put_media("twice", b"by mistake")
        two.sync_media()
        two.put_media("twice", before["twice"])
        two.sync_media()
        after = two.media()
        last = syncs(self.account)[-1]
        usn = self.media_usn()
        text = admin("anki", "restore", self.account.name, "--before", last)
        self.assertIn("2 files are back, 1 file that was added since is gone", text)
        self.assertEqual(self.media_usn(), usn + 3)
        self.assert_media(before, "restored", (one, two))
        text = admin("anki", "restore", self.account.name, "--before", last)
        self.assertIn("The media had not changed since then.", text)
        self.assertEqual(self.media_usn(), usn + 3)
        admin("anki", "restore", self.account.name, "--at", "1")
        self.assert_media(after, "undone", (one, two))
        self.assertEqual(one.download().count("notes"), 0)
        # What the restore has replaced is a state, too.
        admin("anki", "restore", self.account.name, "--at", "2")
        self.assert_media(before, "done again", (one, two))

    def test_media_alone_come_back_and_no_device_downloads(self):
        one, two = self.pair(2)
        one.put_media("kept", b"1")
        one.put_media("deleted", b"2")
        one.sync_media()
        # The clock has minutes here: what has just happened was two minutes ago.
        sql(f"UPDATE anki_media_files SET changed_at = changed_at - interval '2 minutes' WHERE user_id = {self.account.id()}")
        sql(f"UPDATE anki_collections SET known_since = known_since - interval '1 day' WHERE user_id = {self.account.id()}")
        before = time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() - 60))
        two.sync_media()
        two.remove_media("deleted")
        two.sync_media()
        self.assertIn("1 file is back", admin("anki", "restore", self.account.name, "--at", before))
        self.assertEqual(two.required(), 0)
        self.assert_media({"kept": b"1", "deleted": b"2"}, "restored", (one, two))
        with self.assertRaisesRegex(RuntimeError, "nothing has changed since then"):
            admin("anki", "restore", self.account.name, "--at", "2999-01-01")

    def media_usn(self):
        return int(sql(f"SELECT last_usn FROM anki_media WHERE user_id = {self.account.id()}")[0][0])

    def test_a_time_of_which_nothing_is_known_is_refused(self):
        one, _ = self.pair(2)
        for n in range(3):
            one.add_note(f"new {n}")
            one.sync()
        minute = "%Y-%m-%d %H:%M"
        yesterday = time.strftime(minute, time.gmtime(time.time() - 86400))
        with self.assertRaisesRegex(RuntimeError, "is not known any more, or there was nothing"):
            admin("anki", "restore", self.account.name, "--at", yesterday)
        # All of it a week ago, but for the last sync; then the sweep forgets the first ones.
        user = self.account.id()
        sql(f"UPDATE anki_collections SET known_since = known_since - interval '40 days' WHERE user_id = {user}")
        last = syncs(self.account)[-1].split(".")[1]
        sql(f"UPDATE anki_points SET finished_at = finished_at - interval '31 days' WHERE user_id = {user} AND usn < {last}")
        sql("INSERT INTO jobs (kind, args, priority, state, run_at, turn)"
            " VALUES ('anki.sweep_history', '{}', 0, 'queued', now(), 0); SELECT pg_notify('syncline_jobs', '')")
        end = time.monotonic() + 30
        while len(syncs(self.account)) > 1 and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(len(syncs(self.account)), 1)
        month = time.strftime(minute, time.gmtime(time.time() - 35 * 86400))
        with self.assertRaisesRegex(RuntimeError, "is not known any more"):
            admin("anki", "restore", self.account.name, "--at", month)
        admin("anki", "restore", self.account.name, "--at", yesterday)
        self.assertEqual(self.fresh()[0]["notes"], [row for row in self.fresh()[0]["notes"] if "new 2" not in row[6]])
        self.assertEqual(len(self.fresh()[0]["notes"]), 4)

    def test_a_time_selects_the_state_of_that_minute(self):
        one, _ = self.pair(2)
        one.add_note("new")
        one.sync()
        with self.assertRaisesRegex(RuntimeError, "nothing has changed since then"):
            admin("anki", "restore", self.account.name, "--at", "2999-01-01")
        with self.assertRaisesRegex(RuntimeError, "one of --at and --before"):
            admin("anki", "restore", self.account.name)
        with self.assertRaisesRegex(RuntimeError, "no sync with id 1.999"):
            admin("anki", "restore", self.account.name, "--before", "1.999")


def options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, action="append")
    known, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    return known


if __name__ == "__main__":
    OPTIONS = options()
    main()
