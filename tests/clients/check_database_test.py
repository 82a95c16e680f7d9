"""syncline-admin anki check finds what the real client's Check Database finds, with the same numbers, and changes nothing."""

import re

from devices import ClientTest, admin, contents, main, sql, try_admin

CARDS = "update cards set "
LATER = "+ 86400000 * 2"
LAST_CARD, LAST_NOTE = ("(select max(id) from cards)", "(select max(id) from notes)")
# What is wrong, and how it comes about in a collection with three notes, one of them a cloze.
CASES = [
    ("nothing", []),
    ("positions", [CARDS + "due = 2000000 + ord"]),
    ("high positions that are allowed", [CARDS + "due = 1999999"]),
    ("due date", [CARDS + "type = 2, queue = 2, ivl = 1, due = 100001"]),
    ("due date of suspended cards", [CARDS + "type = 2, queue = -1, ivl = 1, due = 100001"]),
    ("original due", [CARDS + "type = 1, queue = 1, due = 5, odue = 7, odid = 0"]),
    ("original deck", [CARDS + "odid = 1, odue = 0"]),
    ("original deck and missing deck", [CARDS + "odid = 1, did = 77"]),
    ("missing note", ["delete from notes where id = (select min(id) from notes)"]),
    ("missing deck", [CARDS + "did = 77"]),
    ("missing decks", [CARDS + "did = id"]),
    ("missing template", [CARDS + "ord = 5"]),
    ("ordinal", [CARDS + "ord = 30001"]),
    ("twins", ["insert into cards select id + 100000, nid, did, ord, mod, usn, type, queue, due, ivl, factor, reps, lapses, left,"
               " odue, odid, flags, data from cards"]),
    ("fields", ["update notes set flds = 'a' || char(31) || 'b' || char(31) || 'c' || char(31) || 'd'"]),
    ("notetype", ["update notes set mid = 5"]),
    ("future note", [f"update notes set id = id {LATER} where id = {LAST_NOTE}",
                     f"update cards set nid = {LAST_NOTE} where nid not in (select id from notes)"]),
    ("future card", [f"update cards set id = id {LATER} where id = {LAST_CARD}"]),
    ("future review", [f"insert into revlog values ((select max(id) {LATER} from cards), {LAST_CARD}, 0, 0, 1, 1, 2500, 9, 4)"]),
    ("parent deck", ["delete from decks where name = 'a'"]),
    ("parent decks", ["delete from decks where name in ('a', 'a' || char(31) || 'b')"]),
    ("everything", [CARDS + "due = 3000000, did = 77", f"delete from notes where id = {LAST_NOTE}",
                    "update notes set flds = 'a' where mid <> (select mid from notes limit 1)", "delete from decks where name = 'a'"]),
]
HARMLESS = {"nothing", "high positions that are allowed", "due date of suspended cards"}
# Words of the client's text and of ours.
KINDS = [("One or more note types", "note type is|note types are"), ("new card", "new card"), ("invalid card properties", "of a card|of cards"),
         ("missing note", "no note"), ("missing deck", "deck is|decks are"), ("wrong field count", "the fields of"),
         ("duplicate template", "there twice"), ("missing template", "no template"), ("timestamps in the future", "from the future"),
         ("review entr", "review has|reviews have")]


def check(account):
    return try_admin("anki", "check", account.name)


def complaints(text, side):
    """{kind: number}; the client does not count note types."""
    found = {}
    for line in text.splitlines():
        for words in KINDS:
            if re.search(words[side], line):
                number = re.search(r"\d[\d,]*", line)
                found[words[0]] = 1 if words is KINDS[0] else int(number.group().replace(",", ""))
                break
    return found


class CheckDatabase(ClientTest):
    def test_it_finds_what_the_client_finds(self):
        for what, statements in CASES:
            with self.subTest(what):
                self.setUp()
                device = self.account.device()
                device.add_notes(2)
                device.add_note("{{c1::one}} {{c2::two}}", notetype="Cloze")
                device.deck("a::b::c")
                for statement in statements:
                    device.col.db.execute(statement)
                device.upload()
                self.account.wait_for_import()
                code, text = check(self.account)
                expected = complaints(device.problems(), 0)
                self.assertEqual(bool(expected), what not in HARMLESS)
                self.assertEqual(complaints(text, 1), expected, text)
                self.assertEqual(code, 1 if expected else 0)
                self.assertEqual(check(self.account), (code, text))

    def test_it_tells_what_the_nightly_checks_find(self):
        one, _ = self.pair()
        one.add_note("new")
        one.put_media("a", b"1")
        one.sync().sync_media()
        self.assertEqual(check(self.account), (0, f"No problem of {self.account.name} was found.\n"))
        user = self.account.id()
        sql(f"UPDATE anki_collections SET cards = cards + 1 WHERE user_id = {user}")
        sql(f"UPDATE anki_media SET files = files + 1 WHERE user_id = {user}")
        code, text = check(self.account)
        self.assertEqual(code, 1)
        self.assertIn("cards: counter says 7, there are 6", text)
        self.assertIn("media files: counter says 2, there are 1", text)
        self.assertNotIn("Check Database", text)
        sql(f"UPDATE anki_collections SET cards = cards - 1 WHERE user_id = {user}")
        sql(f"UPDATE anki_media SET files = files - 1 WHERE user_id = {user}")

    def test_a_history_that_could_not_be_restored_is_found(self):
        one, _ = self.pair()
        for n in range(3):
            one.add_note(f"new {n}")
            one.edit("new 0", Back=f"{n}")
            one.sync()
        self.assertEqual(check(self.account)[0], 0)
        user = self.account.id()
        for damage, repair, finding in (
                ("UPDATE anki_points SET bytes = bytes + 1 WHERE {}", "UPDATE anki_points SET bytes = bytes - 1 WHERE {}",
                 "3 points with more or less rows than they count"),
                ("UPDATE anki_points SET generation = 7 WHERE {}", "UPDATE anki_points SET generation = 1 WHERE {}",
                 "3 points of a collection that is not kept"),
                ("UPDATE anki_old_notes SET fields = fields[2:] WHERE {}", None, "damaged rows"),
                ("DELETE FROM anki_old_cards WHERE {}", None, "points with more or less rows"),
                ("DELETE FROM anki_points WHERE {}", None, "rows of no point")):
            sql(damage.format(f"user_id = {user}"))
            code, text = check(self.account)
            self.assertEqual(code, 1, text)
            self.assertRegex(text, finding)
            if repair:
                sql(repair.format(f"user_id = {user}"))
                self.assertEqual(check(self.account)[0], 0)
        # The nightly check of this installation goes on; it is not to find this.
        admin("user", "remove", self.account.name, "--yes")

    def test_it_changes_nothing(self):
        one, _ = self.pair()
        before, usn = contents(one), self.account.value("usn")
        check(self.account)
        new = self.account.device().download()
        self.assertEqual(contents(new), before)
        self.assertEqual(self.account.value("usn"), usn)


if __name__ == "__main__":
    main()
