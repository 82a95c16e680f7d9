"""Shared decks and real collections: what the importer of the add-on makes of a download, what Anki makes of a deck's file, and a
published deck in its owner's own collection, by a normal sync.

The importer here follows the rules of the add-on of December 2025, which is not part of this project (decks_addon_test.py runs the
add-on itself): a card without `guid` or of an unknown note type is skipped, known note types are left alone, files come by
`filename` and `url`.
"""

import base64
import pathlib
import secrets
import time
import urllib.request

from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from devices import PASSWORD, ClientTest, admin, main, sql

from decks_wire import Person, card, cards

PICTURE = b"\x89PNG of a kind"
ODD = "k{2Z!q)*:_#;"


def new_deck(count, plan="premium", owner=None):
    """A deck with two note types, subdecks, tags and a picture."""
    person = owner or Person(plan=plan)
    deck = person.deck("Torts and other wrongs")
    person.push(deck, cards(count - 1), version="1.0.1")
    person.call("sync-media", {"deck_id": deck, "action": "upload", "file_name": "x.png", "content_base64": base64.b64encode(PICTURE).decode()})
    person.call("sync-note-types", {"deck_id": deck, "action": "push", "note_types": [{
        "name": "Both ways", "fields": ["Word", "Meaning"], "css": ".card { color: red; }",
        "templates": [{"name": "There", "qfmt": "{{Word}}", "afmt": "{{Meaning}}"},
                      {"name": "Back", "qfmt": "{{#Meaning}}{{Meaning}}{{/Meaning}}", "afmt": "{{Word}}"}]}]})
    person.push(deck, [card(ODD, {"Word": "<img src='x.png'>", "Meaning": "odd \U0001f600"}, note_type="Both ways", tags=["a", "b::c"],
                            subdeck_path="Part 1::Sub")])
    return person, deck


def import_download(col, download):
    """As the add-on installs a deck; returns the number of notes."""
    assert download["success"]
    for kind in download["note_types"]:
        if col.models.by_name(kind["name"]) is None:
            model = col.models.new(kind["name"])
            for name in kind["fields"]:
                col.models.add_field(model, col.models.new_field(name))
            for one in kind["templates"]:
                template = col.models.new_template(one["name"])
                template["qfmt"], template["afmt"] = one["qfmt"], one["afmt"]
                col.models.add_template(model, template)
            model["css"] = kind.get("css", "")
            col.models.add(model)
    home = col.decks.id(download["deck"]["title"])
    added = 0
    for one in download["cards"]:
        model = col.models.by_name(one.get("note_type") or "")
        if not one.get("guid") or model is None:
            continue
        note = col.new_note(model)
        note.guid = one["guid"]
        for name, value in one["fields"].items():
            if name in note:
                note[name] = value
        note.tags = one.get("tags") or []
        col.add_note(note, home)
        added += 1
    for file in download["media_files"]:
        if "filename" in file and "url" in file:
            with urllib.request.urlopen(file["url"], timeout=60) as answer:
                pathlib.Path(col.media.dir(), file["filename"]).write_bytes(answer.read())
    return added


def note_of(col, guid):
    return col.get_note(col.db.scalar("SELECT id FROM notes WHERE guid = ?", guid))


def check(col, count):
    """That the collection has the deck whole."""
    assert col.note_count() == count, col.note_count()
    note = note_of(col, ODD)
    assert note.items() == [("Word", "<img src='x.png'>"), ("Meaning", "odd \U0001f600")] and note.tags == ["a", "b::c"], note.items()
    assert [one.ord for one in note.cards()] == [0, 1] and note.note_type()["name"] == "Both ways"
    assert note_of(col, "g00001")["Back"] == "back of g00001"
    assert pathlib.Path(col.media.dir(), "x.png").read_bytes() == PICTURE
    problems, is_fine = col.fix_integrity()
    assert is_fine, problems


class Decks(ClientTest):
    def collection(self, name="deck.anki2"):
        col = Collection(str(self.account.folder / name))
        self.addCleanup(col.close)
        return col

    def test_s17_a_download_becomes_as_many_notes_as_it_has_cards(self):
        person, deck = new_deck(30)
        col = self.collection()
        download = person.download(deck)
        assert import_download(col, download) == len(download["cards"]) == 30
        check(col, 30)

    def test_anki_imports_the_file_of_a_deck_and_knows_its_notes_again(self):
        person, deck = new_deck(30)
        col = self.collection()
        path = self.account.folder / "deck.apkg"

        def import_file():
            with urllib.request.urlopen(person.download(deck)["download_url"], timeout=60) as answer:
                path.write_bytes(answer.read())
            return col.import_anki_package(ImportAnkiPackageRequest(package_path=str(path), options=ImportAnkiPackageOptions())).log

        log = import_file()
        assert len(log.new) == 30, log
        check(col, 30)
        home = note_of(col, ODD).cards()[0].did
        assert col.decks.name(home) == "Torts and other wrongs::Part 1::Sub"
        types = len(col.models.all())
        log = import_file()
        assert len(log.new) == 0 and len(log.updated) == 0 and len(log.duplicate) == 30 and len(col.models.all()) == types, log
        time.sleep(1.1)  # notes are newer by seconds
        person.push(deck, [card("g00001", {"Front": "new", "Back": "back of g00001"})])
        log = import_file()
        assert len(log.updated) == 1 and note_of(col, "g00001")["Front"] == "new" and col.note_count() == 30, log

    def test_a_published_deck_is_in_its_owners_collection(self):
        one, two = self.pair(notes=5)
        admin("plan", "give", self.account.name, "premium", "--lifetime")
        person = Person.of(self.account.name, PASSWORD)
        # A card that the owner has already: its text stays.
        own = one.col.new_note(one.col.models.by_name("Basic"))
        own.guid, own["Front"] = "g00001", "mine"
        one.col.add_note(own, 1)
        one.sync()
        _, deck = new_deck(30, owner=person)
        self.wait_for_job(deck)
        two.sync()
        assert two.col.note_count() == 5 + 30, two.col.note_count()
        assert note_of(two.col, "g00001")["Front"] == "mine"
        assert note_of(two.col, ODD)["Meaning"] == "odd \U0001f600"
        assert two.col.decks.name(note_of(two.col, ODD).cards()[0].did) == "Torts and other wrongs::Part 1::Sub"
        problems, is_fine = two.col.fix_integrity()
        assert is_fine, problems

    def test_only_what_its_owner_adds_goes_there_and_only_once(self):
        one, two = self.pair(notes=5)
        admin("plan", "give", self.account.name, "premium", "--lifetime")
        person, maintainer = Person.of(self.account.name, PASSWORD), Person()
        _, deck = new_deck(10, owner=person)
        person.make_maintainer(deck, maintainer)
        self.wait_for_job(deck)
        two.sync()
        two.col.remove_notes([note_of(two.col, "g00002").id])
        two.sync()
        maintainer.call("admin-import-deck", {"deck_id": deck, "version": "2", "cards": [card("theirs", note_type="Scripted")]})
        person.call("admin-import-deck", {"deck_id": deck, "version": "3", "cards": [card("mine")]})
        self.wait_for_job(deck)
        two.sync()
        guids = set(two.col.db.list("SELECT guid FROM notes"))
        assert "mine" in guids and not guids & {"g00002", "theirs"}, guids
        assert two.col.models.by_name("Scripted") is None

    def test_whoever_has_no_collection_gets_none(self):
        person, deck = new_deck(5)
        self.wait_for_job(deck)
        assert sql(f"SELECT count(*) FROM anki_collections c JOIN users u USING (user_id) WHERE u.name = '{person.name}'") == [["0"]]

    def wait_for_job(self, deck):
        """Its turn comes at once, and its end."""
        number = sql(f"SELECT deck_id FROM decks WHERE public_id = '{deck}'")[0][0]
        ours = f"kind = 'decks.collect' AND args::json ->> 'deck' = '{number}'"
        sql(f"UPDATE jobs SET run_at = now() WHERE {ours}; NOTIFY syncline_jobs")
        end = time.monotonic() + 60
        while sql(f"SELECT DISTINCT state FROM jobs WHERE {ours}") != [["done"]]:
            assert time.monotonic() < end, sql(f"SELECT state, last_error FROM jobs WHERE {ours}")
            time.sleep(0.05)


if __name__ == "__main__":
    main()
