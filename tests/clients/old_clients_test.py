"""Old clients (tests/support/anki_forms.py) beside the real client of today: what one of them uploads or syncs, the other one
takes. The real package also stands in for what an old client does with its file: it opens what was downloaded in schema 11,
and writes what is uploaded in it.
"""

import pathlib
import sqlite3

from devices import HTTP, PASSWORD, ClientTest, Required, assert_same, main

import anki_wire
from anki.collection import Collection
from anki_forms import CLIENTS, FormWire


# Objects as desktop 2.0 wrote them: ids as text, keys that have gone since, without those that came later.
NOTETYPE = {
    "id": "1342697561419", "name": "Vocabulary", "type": 0, "mod": 1400000000, "usn": 0, "sortf": 0, "did": 1, "vers": [],
    "tags": [], "css": ".card {}", "latexPre": "", "latexPost": "", "req": [[0, "all", [0]]],
    "flds": [{"name": name, "ord": n, "media": [], "sticky": False, "rtl": False, "font": "Arial", "size": 20}
             for n, name in enumerate(("Word", "Meaning"))],
    "tmpls": [{"name": "Forward", "ord": 0, "qfmt": "{{Word}}", "afmt": "{{FrontSide}}{{Meaning}}", "did": None, "bqfmt": "",
               "bafmt": ""}]}
DECK = {"id": 1400000000123, "name": "Old words", "mod": 1400000000, "usn": 0, "conf": 1, "dyn": 0, "desc": "", "collapsed": False,
        "extendNew": 10, "extendRev": 50, "newToday": [5, 1], "revToday": [5, 0], "lrnToday": [5, 0], "timeToday": [5, 900]}
FILTERED = {"id": 1400000000456, "name": "Cram", "mod": 1400000000, "usn": 0, "dyn": 1, "desc": "", "collapsed": False, "resched": True,
            "return": True, "separate": True, "delays": None, "terms": [["is:due", 100, 0]], "newToday": [0, 0],
            "revToday": [0, 0], "lrnToday": [0, 0], "timeToday": [0, 0]}
OPTIONS = {"id": 1400000000789, "name": "Old options", "mod": 1400000000, "usn": 0, "maxTaken": 60, "autoplay": True, "timer": 0,
           "replayq": True,
           "new": {"perDay": 20, "delays": [1, 10], "separate": True, "ints": [1, 4, 7], "initialFactor": 2500, "bury": True, "order": 1},
           "rev": {"perDay": 100, "fuzz": 0.05, "ivlFct": 1, "maxIvl": 36500, "ease4": 1.3, "bury": True, "minSpace": 1},
           "lapse": {"leechFails": 8, "minInt": 1, "delays": [10], "leechAction": 0, "mult": 0}}
CONFIG = {"nextPos": 2, "estTimes": True, "activeDecks": [1], "sortType": "noteFld", "timeLim": 0, "sortBackwards": False, "addToCur": True,
          "curDeck": 1, "newBury": True, "newSpread": 0, "dueCounts": True, "curModel": "1342697561419", "collapseTime": 1200}


def schema_of(path):
    file = sqlite3.connect(path)
    version = file.execute("SELECT ver FROM col").fetchone()[0]
    file.close()
    return version


class OldClients(ClientTest):
    def old(self, client="desktop 2.1.49"):
        return FormWire(HTTP, client=client).log_in(self.account.name, PASSWORD)

    def downloaded(self, wire):
        path = self.account.folder / f"old-{len(list(self.account.folder.iterdir()))}.anki2"
        path.write_bytes(wire.download())
        return path

    def test_the_real_client_opens_what_each_old_client_downloads(self):
        one = self.account.device()
        one.add_notes(200)
        one.deck("Lang::ES")
        one.upload()
        one.add_note("after the upload", tags=["later"])
        one.sync()
        for client in CLIENTS:
            path = self.downloaded(self.old(client))
            self.assertEqual(schema_of(path), 11)
            col = Collection(str(path))
            try:
                self.assertEqual(col.note_count(), 201)
                self.assertEqual(len(col.find_notes("tag:later")), 1)
                self.assertIsNotNone(col.decks.by_name("Lang::ES"))
                self.assertEqual(col.fix_integrity(), ("Database rebuilt and optimized.", True))
            finally:
                col.close()

    def test_the_real_client_downloads_what_each_old_client_uploads(self):
        for client in CLIENTS:
            account = self.account = type(self.account)()
            self.addCleanup(account.close)
            one = account.device()
            one.add_notes(50)
            one.upload()  # as an old client does before it uploads, leaves nothing pending
            one.edit("note <b>0</b> &amp; \u00e9", Back="not on the server yet")
            one.sync()
            path = pathlib.Path(one.path)
            one.col.close(downgrade=True)
            self.assertEqual(schema_of(path), 11)
            sent = path.read_bytes()
            one.col = Collection(str(path))
            wire = self.old(client)
            wire.ask("meta", {"v": wire.version, "cv": "x"})
            self.assertEqual(wire.upload(sent), "OK")
            two = account.device()
            self.assertEqual(two.required(), Required.FULL_DOWNLOAD)
            two.download()
            self.assertEqual(two.required(), Required.NO_CHANGES)
            assert_same(one, two)

    def test_what_desktop_2_0_sends_arrives_at_the_real_client(self):
        """A whole conversation of version 8, message by message."""
        wire = self.old("desktop 2.0")
        meta = wire.ask("meta", {"v": 8, "cv": "ankidesktop,2.0.47,win:7"})
        self.assertTrue(meta["cont"])
        # The sync leaves nothing of an earlier one behind: its deletions come with start, some of things that never were here.
        graves = wire.ask("start", {"minUsn": 0, "lnewer": True, "graves": {"cards": [5], "notes": [6], "decks": []}})
        self.assertEqual(graves, {"cards": [], "notes": [], "decks": []})
        theirs = wire.ask("applyChanges", {"changes": {
            "models": [NOTETYPE], "decks": [[DECK, FILTERED], [OPTIONS]], "tags": ["old"], "conf": CONFIG, "crt": 1400000000}})
        chunk = wire.ask("chunk", {})
        self.assertEqual(chunk, {"done": True})
        note, card = 1400000001000, 1400000002000
        wire.ask("applyChunk", {"chunk": {
            "done": True,
            "revlog": [[card + n, card, -1, 3, 1, -60, 2500, 4000.5, 0] for n in range(2)],
            "cards": [[card, note, DECK["id"], 0, 1400000003, -1, 2, 2, 12.0, 3, 2500, 2, 0, 1001, 0, 0, 0, ""]],
            "notes": [[note, "aB(c~d", int(NOTETYPE["id"]), 1400000003, -1, " old ", "der Hund\x1fthe dog", "", "", 0, ""]]}})
        ours = [{int(one["id"]) for one in some} for some in (theirs["models"], *theirs["decks"])]
        counts = [1, 1, 2, 3, len(ours[0]) + 1, len(ours[1]) + 2, len(ours[2]) + 1]
        # It counts what is due and its graves, too.
        verdict = wire.ask("sanityCheck2", {"client": [[7, 8, 9], *counts]})
        self.assertEqual(verdict["status"], "ok", verdict)
        self.assertGreater(wire.ask("finish", {}), meta["mod"])

        device = self.account.device()
        self.assertEqual(device.required(), Required.FULL_DOWNLOAD)
        device.download()
        self.assertEqual(device.required(), Required.NO_CHANGES)
        self.assertEqual(device.note("der Hund")["Meaning"], "the dog")
        self.assertEqual(device.note("der Hund").tags, ["old"])
        self.assertEqual(device.count("revlog"), 2)
        self.assertEqual(device.col.decks.config_dict_for_deck_id(1)["name"], "Default")
        self.assertEqual(device.col.decks.get_config(OPTIONS["id"])["rev"]["minSpace"], 1)
        self.assertTrue(device.col.decks.by_name("Cram")["dyn"])
        # What an old client could not know.
        self.assertRegex(device.problems(), r"^Added last review time to .* card\.$")
        # And back.
        device.edit("der Hund", Meaning="the hound")
        device.sync()
        back = anki_wire.Device(wire.again())
        back.sync()
        self.assertEqual(back.rows["notes"][note][6], "der Hund\x1fthe hound")
        self.assertEqual(set(back.objects[1]) & {DECK["id"], FILTERED["id"]}, {DECK["id"], FILTERED["id"]})

    def test_an_old_device_and_the_real_client_converge(self):
        one = self.account.device()
        one.add_notes(3)
        one.upload()
        self.account.wait_for_import()
        for client in CLIENTS:
            # A device that has seen nothing, but shares the schema.
            old = anki_wire.Device(self.old(client))
            old.sync()
            notes = one.count("notes")
            self.assertEqual(len(old.rows["notes"]), notes)
            mine = old.add_note(f"by {client}", reviews=2)
            old.sync()
            self.assertEqual(one.required(), Required.NO_CHANGES)
            self.assertEqual(one.count("notes"), notes + 1)
            one.edit(f"by {client}", Back="by the real one")
            one.sync()
            old.sync()
            self.assertEqual(old.rows["notes"][mine][6], f"by {client}\x1fby the real one")
            old.remove_note(mine)
            old.edit_note(next(iter(old.rows["notes"])), f"edited by {client}")
            old.sync()
            self.assertEqual(one.required(), Required.NO_CHANGES)
            self.assertEqual(one.count("notes"), notes)
            self.assertEqual(one.note(f"edited by {client}")["Front"], f"edited by {client}")


if __name__ == "__main__":
    main()
