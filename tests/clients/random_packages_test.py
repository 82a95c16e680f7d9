"""Random packages by the real exporter, imported on the server and, into a copy of the same collection, by the real
client: both collections are equal afterwards, except for times and ids from clocks.

The device of the account then has the result by a normal sync. A round is made from a seed, which a failure prints:
SYNCLINE_SEED=7 SYNCLINE_ROUNDS=1 replays it. SYNCLINE_ROUNDS=200 runs longer.
"""

import os
import random
import secrets
import shutil

from devices import Account, ClientTest, Collection, main
from packages import WHEN, comparable, import_locally, import_package, make_package

ROUNDS = int(os.environ.get("SYNCLINE_ROUNDS", "6"))
SEED = os.environ.get("SYNCLINE_SEED")
TAGS = ("one", "One::two", "one::TWO::three", "marked", "Leech", "Ünï::x", "four")
DECKS = ("Lang", "Lang::FR", "lang::fr::Verbs", "Other", "Other::Sub", "Default", "Filtered Home")


class Writer:
    """Random changes of a collection."""

    def __init__(self, collection, chance):
        self.col, self.chance = collection, chance
        self.serial = 0

    def notetype(self):
        names = [item.name for item in self.col.models.all_names_and_ids() if "Occlusion" not in item.name]
        return self.col.models.by_name(self.chance.choice(names))

    def add_note(self):
        self.serial += 1
        notetype = self.notetype()
        note = self.col.new_note(notetype)
        for i in range(len(note.fields)):
            note.fields[i] = self.chance.choice(("plain", "<b>bold</b> &amp; x", "{{c1::cloze}} {{c2::two}}", "é e\u0301",
                                                 "tab\there", "")) + f" {self.serial} {secrets.token_hex(2)}"
        if notetype["type"] == 1:
            note.fields[0] = "{{c1::a}} and {{c2::b}} " + str(self.serial)
        note.tags = self.chance.sample(TAGS, self.chance.randrange(4))
        self.col.add_note(note, self.col.decks.id(self.chance.choice(DECKS)))
        return note.id

    def notes(self):
        return list(self.col.find_notes(""))

    def edit_note(self):
        notes = self.notes()
        if notes:
            note = self.col.get_note(self.chance.choice(notes))
            note.fields[self.chance.randrange(len(note.fields))] += " edited"
            note.tags = self.chance.sample(TAGS, self.chance.randrange(3))
            self.col.update_note(note)
            self.col.db.execute("update notes set mod = mod + ? where id = ?", self.chance.randrange(-100, 100), note.id)

    def remove_note(self):
        notes = self.notes()
        if notes:
            self.col.remove_notes([self.chance.choice(notes)])

    def schedule(self):
        for card in self.col.db.list("select id from cards where odid = 0"):
            if self.chance.random() < 0.5:
                continue
            kind = self.chance.choice(("review", "learning", "day", "relearning", "suspended", "buried"))
            values = {"review": (2, 2, 900), "learning": (1, 1, 1_790_000_000), "day": (1, 3, 700),
                      "relearning": (3, 3, 650), "suspended": (2, -1, 650), "buried": (2, -3, 655)}[kind]
            data = self.chance.choice(('{}', '{"pos":3}', '{"pos":7,"s":30.5,"d":5.1,"dr":0.9}', '{"cd":"{\\"a\\":1}"}'))
            self.col.db.execute("update cards set type=?, queue=?, due=?, ivl=?, factor=2500, reps=?, lapses=1, left=1001, "
                                "flags=?, data=? where id = ?", *values, self.chance.randrange(1, 90),
                                self.chance.randrange(1, 9), self.chance.randrange(8), data, card)
            for _ in range(self.chance.randrange(3)):
                self.col.db.execute("insert or ignore into revlog values (?, ?, -1, 3, 10, 5, 2500, 4000, 1)",
                                    1_700_000_000_000 + self.chance.randrange(9 * 10**10), card)

    def options_group(self):
        group = self.col.decks.add_config_returning_id(f"group {self.chance.randrange(3)}")
        config = self.col.decks.get_config(group)
        config["new"]["perDay"] = self.chance.randrange(99)
        config["fsrsParams6"] = [0.5] * 21
        self.col.decks.update_config(config)
        deck = self.col.decks.by_name(self.chance.choice(DECKS))
        if deck and not deck["dyn"]:
            deck["conf"] = group
            self.col.decks.save(deck)

    def deck_limits(self):
        deck = self.col.decks.by_name(self.chance.choice(DECKS))
        if deck and not deck["dyn"]:
            deck["desc"] = self.chance.choice(("", "described", "otherwise"))
            deck["reviewLimit"] = self.chance.choice((None, 5, 9))
            deck["newLimitToday"] = self.chance.choice((None, {"limit": 3, "today": self.col.sched.today},
                                                        {"limit": 3, "today": self.col.sched.today + 50}))
            self.col.decks.save(deck)

    def filtered_deck(self):
        if self.chance.random() < 0.5:
            name = self.chance.choice(("Lang Filtered", "Other"))
            if self.col.decks.by_name(name) is None:
                deck = self.col.decks.new_filtered(name)
                self.col.sched.rebuild_filtered_deck(deck)

    def new_notetype(self):
        name = f"Kind {self.chance.randrange(4)}"
        notetype = self.col.models.new(name)
        for field in ("A", "B", "C")[:self.chance.randrange(2, 4)]:
            self.col.models.add_field(notetype, self.col.models.new_field(field))
        template = self.col.models.new_template("Card 1")
        template["qfmt"], template["afmt"] = "{{A}}", "{{B}}"
        self.col.models.add_template(notetype, template)
        self.col.models.add_dict(notetype)

    def edit_notetype(self):
        notetype = self.notetype()
        notetype["css"] += f"/* {self.chance.randrange(99)} */"
        self.col.models.update_dict(notetype)
        self.col.db.execute("update notetypes set mtime_secs = mtime_secs + ? where id = ?", self.chance.randrange(-99, 99),
                            notetype["id"])

    def add_field(self):
        notetype = self.notetype()
        if notetype["type"] == 0 and len(notetype["flds"]) < 5:
            self.col.models.add_field(notetype, self.col.models.new_field(f"Extra {self.chance.randrange(9)}"))
            self.col.models.update_dict(notetype)

    def rename_deck(self):
        deck = self.col.decks.by_name("Lang::FR")
        if deck:
            self.col.decks.rename(deck["id"], self.chance.choice(("Lang::EN", "LANG::fr")))

    def collide(self):
        """A note and a card with small ids, which other collections may have, too."""
        note = self.add_note()
        cards = self.col.db.list("select id from cards where nid = ?", note)
        target = self.chance.randrange(100, 104)
        if not self.col.db.scalar("select 1 from notes where id = ?", target):
            self.col.db.execute("update notes set id = ? where id = ?", target, note)
            self.col.db.execute("update cards set nid = ? where nid = ?", target, note)
        for card in cards:
            target = self.chance.randrange(200, 206)
            if not self.col.db.scalar("select 1 from cards where id = ?", target):
                self.col.db.execute("update cards set id = ? where id = ?", target, card)
                self.col.db.execute("update revlog set cid = ? where cid = ?", target, card)

    def change(self, steps, but=()):
        actions = [action for action in (self.add_note, self.add_note, self.add_note, self.edit_note, self.edit_note,
                                         self.remove_note, self.schedule, self.options_group, self.deck_limits,
                                         self.new_notetype, self.edit_notetype, self.add_field, self.rename_deck, self.collide)
                   if action.__name__ not in but]
        for _ in range(steps):
            self.chance.choice(actions)()


class RandomPackages(ClientTest):
    def play(self, seed):
        chance = random.Random(seed)
        account = Account()
        self.addCleanup(account.close)
        device = account.device()
        Writer(device.col, chance).change(chance.randrange(5, 25))
        # The source may have begun as a copy of ours.
        source_path = account.folder / "source.anki2"
        if chance.random() < 0.6:
            device.col.close()
            shutil.copy(device.path, source_path)
            device.col = Collection(str(device.path))
        source = Collection(str(source_path))
        source.db.execute("update col set crt = crt - ?", 86400 * chance.randrange(-20, 400))
        source.close()
        source = Collection(str(source_path))
        writer = Writer(source, chance)
        writer.change(chance.randrange(5, 25))
        writer.filtered_deck()
        Writer(device.col, chance).change(chance.randrange(0, 6))
        device.upload()
        account.wait_for_import()
        device.col.close()
        copy_path = account.folder / "copy.anki2"
        shutil.copy(device.path, copy_path)
        device.col = Collection(str(device.path))
        copy = Collection(str(copy_path))
        try:
            self.compare(chance, account, device, source, copy)
        finally:
            copy.close()
            source.close()

    def compare(self, chance, account, device, source, copy):
        decks = [item.name for item in source.decks.all_names_and_ids()]
        package = make_package(source, account.folder / "package.apkg", deck=chance.choice([None, None, *decks]),
                               legacy=chance.random() < 0.5, with_scheduling=chance.random() < 0.6,
                               with_deck_configs=chance.random() < 0.5)
        options = {"update_notes": chance.choice(WHEN), "update_notetypes": chance.choice(WHEN),
                   "with_scheduling": chance.random() < 0.6, "with_deck_configs": chance.random() < 0.5}
        log = import_locally(copy, package, **options)
        notes = import_package(account, package, **options)["notes"]
        for name, theirs in (("added", log.new), ("updated", log.updated), ("duplicate", log.duplicate),
                             ("conflicting", log.conflicting), ("found", range(log.found_notes))):
            self.assertEqual(notes[name], len(theirs), (name, options))
        device.sync()
        ours, theirs = comparable(device.col), comparable(copy)
        for table, rows in ours.items():
            if table == "cards":  # the time of a card that has been given a new place is not kept
                rows, theirs[table] = ([row[:14] + row[15:] for row in side] for side in (rows, theirs[table]))
            if rows != theirs[table]:
                self.fail(f"{table} differs, options {options}:\n  here  {[row for row in rows if row not in theirs[table]][:3]}\n"
                          f"  there {[row for row in theirs[table] if row not in rows][:3]}")
        theirs = [line for line in copy.fix_integrity()[0].splitlines() if line != "Database rebuilt and optimized."]
        self.assertEqual(device.problems().splitlines(), theirs)
        before = account.value("usn"), account.value("mod_ms"), account.value("schema_ms")
        again = import_package(account, package, **options)
        self.assertEqual((again["notes"]["added"], again["notes"]["updated"], again["cards"]["added"]), (0, 0, 0))
        self.assertEqual((account.value("usn"), account.value("mod_ms"), account.value("schema_ms")), before, again)

    def test_the_server_imports_as_a_client_does(self):
        for i in range(ROUNDS):
            seed = int(SEED) + i if SEED else secrets.randbelow(2**31)
            with self.subTest(SYNCLINE_SEED=seed):
                self.play(seed)


if __name__ == "__main__":
    main()
