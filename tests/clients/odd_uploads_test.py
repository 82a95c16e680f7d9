"""Collections with values that no client writes, uploaded as they are: the server accepts the file and returns it byte
for byte, and ordinary syncs that do not touch the odd row work afterwards. The reference server of the same package
gets the same requests in the same run, so that the test requires nothing that the reference server does not do."""

import contextlib
import shutil
import sqlite3
import time
import unittest

from devices import HTTP, PASSWORD, Account, Collection, Device, Required, StoppedWorkers, admin, main
from official_server import OfficialServer

from anki_wire import Wire  # on the path of devices

# Values found in real files, each named by its fault.
VALUES = {
    "cards.factor real": "update cards set factor = 2500.5 where id = {card}",
    "cards.factor negative": "update cards set factor = -1 where id = {card}",
    "cards.factor high": "update cards set factor = 70000 where id = {card}",
    "cards.reps negative": "update cards set reps = -1 where id = {card}",
    "cards.left negative": "update cards set left = -1 where id = {card}",
    "cards.left real": "update cards set left = 1001.5 where id = {card}",
    "cards.lapses negative": "update cards set lapses = -1 where id = {card}",
    "cards.lapses real": "update cards set lapses = 1.5 where id = {card}",
    "cards.flags negative": "update cards set flags = -1 where id = {card}",
    "cards.flags high": "update cards set flags = 256 where id = {card}",
    "cards.type 9": "update cards set type = 9 where id = {card}",
    "cards.queue 9": "update cards set queue = 9 where id = {card}",
    "cards.did text": "update cards set did = 'Default' where id = {card}",
    "cards.odid real": "update cards set odid = 1.5 where id = {card}",
    "notes.mod real": "update notes set mod = 1700000000.5 where id = {note}",
    "notes.guid blob": "update notes set guid = x'ff00fe' where id = {note}",
    "notes.flds blob": "update notes set flds = cast(flds as blob) where id = {note}",
    "revlog.factor real": "update revlog set factor = 2500.5 where id = {review}",
    "revlog.factor negative": "update revlog set factor = -1 where id = {review}",
    "revlog.factor high": "update revlog set factor = 8589934592 where id = {review}",
    "revlog.ease real": "update revlog set ease = 2.5 where id = {review}",
    "revlog.ease negative": "update revlog set ease = -1 where id = {review}",
    "revlog.ease high": "update revlog set ease = 300 where id = {review}",
    "preference of depth 101": "insert into config values ('deep 101', 0, 0, cast('" + "[" * 101 + "]" * 101 + "' as blob))",
    "preference of depth 124": "insert into config values ('deep 124', 0, 0, cast('" + "[" * 124 + "]" * 124 + "' as blob))",
    "col.crt negative": "update col set crt = -86400",
    "col.usn near its limit": "update col set usn = 2147483000",
}
# Further values of the same kinds.
MORE = {
    "cards.nid text": "update cards set nid = 'x' where id = {card}",
    "cards.ord high": "update cards set ord = 70000 where id = {card}",
    "cards.usn high": "update cards set usn = 8589934592 where id = {card}",
    "cards.usn text": "update cards set usn = 'x' where id = {card}",
    "cards.data not text": "update cards set data = x'00ff' where id = {card}",
    "notes.mid real": "update notes set mid = 1.5 where id = {note}",
    "notes.tags blob": "update notes set tags = x'ff' where id = {note}",
    "notes.flds not UTF-8": "update notes set flds = cast(x'ff' as text) where id = {note}",
    "revlog.cid text": "update revlog set cid = 'x' where id = {review}",
    "graves of an unknown kind": "insert into graves values (7, 9, 0), ('x', 'y', 0), (8, 1.5, 0)",
    "grave with a usn of text": "insert into graves values (7, 1, 'x')",
    "tag as a blob": "insert into tags values (x'ff', 0, 0, null)",
    "notetype that cannot be read": "update notetypes set config = x'ff' where name = 'Cloze'",
    "field that cannot be read": "update fields set config = x'ff' where ntid in (select id from notetypes where name = 'Cloze')",
    "template that cannot be read":
        "update templates set config = x'ff' where ntid in (select id from notetypes where name = 'Cloze')",
    "deck of an unknown kind": "insert into decks values (77, 'Odd', 0, 0, x'', x'')",
    "deck that cannot be read": "insert into decks values (77, 'Odd', 0, 0, x'ff', x'ff')",
    "deck without a name": "insert into decks values (77, x'ff', 0, 0, x'', x'0a020801')",
    "options that cannot be read": "insert into deck_config values (77, 'Odd', 0, 0, x'ff')",
    "config that is not JSON": "insert into config values ('odd', 0, 0, x'ff')",
    "preference of depth 127": "insert into config values ('deep 127', 0, 0, cast('" + "[" * 127 + "]" * 127 + "' as blob))",
    "preference of depth 5000": "insert into config values ('deep 5000', 0, 0, cast('" + "[" * 5000 + "]" * 5000 + "' as blob))",
    "col.crt far in the future": "update col set crt = 4611686018427387904",
    "col.mod negative": "update col set mod = -5",
    "col.mod far in the future": "update col set mod = 9223372036854775807",
    "col.scm negative": "update col set scm = -5",
    "col.usn negative": "update col set usn = -5",
    "col.usn beyond 31 bits": "update col set usn = 2147483648",
    "notes.usn pending": "update notes set usn = -1",
    "cards.usn pending": "update cards set usn = -1",
    "decks.usn pending": "update decks set usn = -1",
    "notetypes.usn pending": "update notetypes set usn = -1",
    "options pending": "update deck_config set usn = -1",
    "tags pending": "insert into tags values ('waiting', -1, 0, null)",
    "revlog.usn pending": "update revlog set usn = -1",
    "graves pending": "insert into graves values (7, 1, -1)",
}


def unicase(a, b):
    return (a.casefold() > b.casefold()) - (a.casefold() < b.casefold())


class Base:
    """A collection as a client would upload it, and copies of it with odd values."""

    def __init__(self, folder):
        self.path = folder / "base.anki2"
        account = type("Offline", (), {"folder": folder, "devices": [], "name": ""})
        device = Device.__new__(Device)
        device.account, device.path, device.col = account, self.path, Collection(str(self.path))
        device.add_notes(4)
        device.answer("Default", 2)
        device.col.close()
        with self.open(self.path) as file:
            for table in ("notes", "cards", "revlog", "decks", "notetypes", "deck_config", "tags"):
                file.execute(f"update {table} set usn = 0 where usn = -1")
            file.execute("update col set usn = 3")
            self.ids = {"note": file.execute("select max(id) from notes").fetchone()[0],
                        "review": file.execute("select max(id) from revlog").fetchone()[0]}
            self.ids["card"] = file.execute("select max(id) from cards").fetchone()[0]

    @staticmethod
    @contextlib.contextmanager
    def open(path):
        file = sqlite3.connect(path)
        file.create_collation("unicase", unicase)
        file.text_factory = bytes
        try:
            yield file
            file.commit()
        finally:
            file.close()

    def odd(self, statements):
        """The bytes of a copy after these statements, with modification times that no other copy has."""
        path = self.path.with_name("odd.anki2")
        shutil.copy(self.path, path)
        now = int(time.time() * 1000)
        with self.open(path) as file:
            file.execute("update col set mod = ?, scm = ?", (now, now))
            for statement in statements:
                file.executescript(statement.format(**self.ids))
        time.sleep(0.002)
        return path.read_bytes()


class Raw:
    """An account on one of the two servers: uploads and downloads of raw bytes, and two real devices."""

    def __init__(self, url, account):
        self.wire = Wire(url).log_in(account.name, PASSWORD)
        self.devices = [account.device(url) for _ in range(2)]

    def upload(self, data):
        return self.wire.upload(data)

    def download(self):
        return self.wire.send("download", b"{}")

    def sync_beside(self):
        """Ordinary syncs of two devices that have the file and do not touch its odd row. The second device downloads
        when something has changed since the upload. Raises the error of a device that fails."""
        one, two = self.devices
        one.download()
        one.add_note("of one")
        one.sync()
        two.download()
        two.add_note("of two")
        for device in (two, one, two):
            device.sync()
        notes = [device.col.db.all("select id, mod, usn, flds from notes order by id") for device in self.devices]
        assert notes[0] == notes[1], notes
        assert [device.required() for device in self.devices] == [Required.NO_CHANGES] * 2
        return len(notes[0])


def tables(data, folder):
    """Every table of a file except col, which a download from the reference server changes."""
    path = folder / "compared.anki2"
    path.write_bytes(data)
    with Base.open(path) as file:
        names = [row[0].decode() for row in file.execute("select name from sqlite_schema where type = 'table'")
                 if not row[0].startswith(b"sqlite_") and row[0] != b"col"]
        return {name: file.execute(f"select * from {name}").fetchall() for name in names}


class OddUploads(unittest.TestCase):
    """Both servers, each with one account; every upload replaces the collection of the one before."""

    @classmethod
    def setUpClass(cls):
        cls.shared = Account()
        cls.addClassCleanup(cls.shared.close)
        cls.folder = cls.shared.folder
        cls.base = Base(cls.folder)
        reference = cls.enterClassContext(OfficialServer(cls.folder / "reference", {cls.shared.name: PASSWORD}))
        cls.theirs, cls.ours = Raw(reference.url, cls.shared), Raw(HTTP + "/", cls.shared)
        cls.addClassCleanup(cls.theirs.wire.close)
        cls.addClassCleanup(cls.ours.wire.close)

    def test_each_odd_value_is_accepted_and_returned_and_does_not_break_syncs(self):
        for name, statement in VALUES.items():
            with self.subTest(name):
                data = self.base.odd([statement])
                self.assertEqual(self.theirs.upload(data), "OK")
                self.assertEqual(tables(self.theirs.download(), self.folder), tables(data, self.folder))
                self.assertEqual(self.theirs.sync_beside(), 6)
                self.assertEqual(self.ours.upload(data), "OK")
                self.assertEqual(self.ours.download(), data)
                self.assertEqual(self.ours.sync_beside(), 6)

    def test_further_odd_values_work_here_if_they_work_on_the_reference_server(self):
        for name, statement in MORE.items():
            with self.subTest(name):
                data = self.base.odd([statement])
                works = {}
                for server in (self.theirs, self.ours):
                    try:
                        works[server] = server.upload(data) == "OK" and server.sync_beside() == 6
                    except Exception as problem:  # pylint: disable=broad-except
                        works[server] = False
                        print(f"  {name}, {'ours' if server is self.ours else 'reference'}: {problem!r:.200}")
                self.assertGreaterEqual(works[self.ours], works[self.theirs])

    def test_all_odd_values_together_survive_upload_import_and_restore(self):
        account = Account()
        self.addCleanup(account.close)
        one, two = account.device(), account.device()
        one.col.close()
        one.path.write_bytes(self.base.odd(VALUES.values()))
        one.col = Collection(str(one.path))
        odd = ("select factor, reps, left, lapses, flags, type, queue, did, odid from cards where queue = 9",
               "select factor, ease from revlog where ease = 300",
               "select guid, flds, mod, typeof(flds) from notes where typeof(flds) = 'blob'")
        values = [one.col.db.all(statement) for statement in odd]
        self.assertEqual([len(rows) for rows in values], [1, 1, 1])

        def both_have_them(notes):
            for device in (one, two):
                self.assertEqual([device.col.db.all(statement) for statement in odd], values)
                self.assertEqual(device.count("notes"), notes)

        with StoppedWorkers():
            one.upload()
            two.download()
            for device in (one, two):
                self.assertGreater(device.col.db.scalar("select usn from col"), 2_147_483_000)
                device.add_note("before the import")
                device.sync()
                # After the first sync the usn is small and has room to grow.
                self.assertLess(device.col.db.scalar("select usn from col"), 10)
            one.sync()
        account.wait_for_import()
        for device, other in ((one, two), (two, one), (one, two)):
            device.add_note("after the import")
            device.sync()
            other.sync()
        both_have_them(9)
        problems = admin("anki", "problems", account.name)
        for column in ("cards.factor:{count:1,ids:[", "notes.guid:", "revlog.ease:"):
            self.assertIn(column, problems)

        two.col.mod_schema(check=False)
        two.upload()
        admin("anki", "restore", account.name, "--at", "1")
        for device in (one, two):
            self.assertEqual(device.required(), Required.FULL_SYNC)
            device.download()
        both_have_them(9)
        one.add_note("after the restore")
        one.sync()
        two.sync()
        both_have_them(10)


if __name__ == "__main__":
    main()
