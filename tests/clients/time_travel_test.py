"""Two real devices work and sync; then the collection goes back before each of their syncs and is, for a fresh device,
what it was then, row for row.

    time_travel_test.py                       a few fixed seeds, then a fresh one
    time_travel_test.py --seed 17             this one only
    time_travel_test.py --seconds 600         fresh seeds for that long
"""

import argparse
import random
import re
import secrets
import sys
import time

from devices import ClientTest, admin, contents, main
from random_device import Nothing, Person

FIXED_SEEDS = (1, 2, 3)
OPERATIONS = (
    "add_note", "add_note", "add_many", "change_many", "edit_note", "edit_note", "edit_tags", "remove_notes", "remove_cards",
    "find_replace", "answer", "answer", "suspend", "unsuspend", "bury", "unbury", "flag", "move_cards", "set_due", "forget",
    "create_deck", "rename_deck", "reparent_deck", "remove_deck", "swap_decks", "describe_deck", "create_filtered",
    "rebuild_filtered", "empty_filtered", "remove_filtered", "answer_in_filtered", "add_preset", "edit_preset",
    "assign_preset", "edit_css", "edit_template", "rename_field", "rename_notetype", "swap_notetypes", "copy_notetype",
    "add_tags", "remove_tags", "rename_tag", "delete_tag", "undo", "set_key", "remove_key", "preferences")
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


class TimeTravel(ClientTest):
    def fresh(self):
        """The contents of a device that downloads now."""
        device = self.account.device().download()
        found = contents(device)
        problems = device.problems()
        device.col.close()
        self.account.devices.remove(device)
        return found, problems

    def work(self, seed, steps=40):
        """{id of a sync: contents before it}"""
        chance = random.Random(seed)
        devices = self.pair(10)
        self.account.wait_for_import()
        before, state, zero = {}, self.fresh()[0], int(time.time()) * 1000
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
            state = self.fresh()[0]
        return before, state

    def check_seed(self, seed):
        before, last = self.work(seed)
        chance = random.Random(seed)
        points = sorted(before)
        chance.shuffle(points)
        for point in points[:12]:
            admin("anki", "restore", self.account.name, "--before", point)
            found, _ = self.fresh()
            self.assertEqual(list(difference(before[point], found)), [], f"seed {seed}: before {point}")
        # What a restore replaces is in the history: the state at the end of the work is the first generation.
        admin("anki", "restore", self.account.name, "--at", "1")
        self.assertEqual(list(difference(last, self.fresh()[0])), [], f"seed {seed}: undone")
        self.account.devices[0].download().col.set_config("goes on", seed)
        self.account.devices[0].sync()
        self.account.devices[1].download()
        self.assertEqual(list(difference(*map(contents, self.account.devices))), [], f"seed {seed}: goes on")

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
        two.col.remove_notes([note.id if hasattr(note, "id") else note for note in two.col.find_notes("")])
        two.sync()
        self.assertEqual(self.fresh()[0]["notes"], [])
        last = syncs(self.account)[-1]
        self.assertIn("200 notes deleted", admin("anki", "history", self.account.name))
        admin("anki", "restore", self.account.name, "--before", last)
        self.assertEqual(list(difference(before, self.fresh()[0])), [])
        self.assertEqual(len(ids), 200)
        one.download()
        self.assertEqual(one.problems(), "")

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
