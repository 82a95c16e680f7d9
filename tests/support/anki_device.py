"""A device that is the real client: the library of Anki with its own collection file.

Left out on purpose: media (only the collection is synced). Needs the package `anki`.
"""

import json
import shutil

from anki.collection import Collection
from anki.sync import SyncAuth
from anki.sync_pb2 import SyncCollectionResponse

from installation import when_let_in
from own_ids import own_ids, own_moment

FULL = ("FULL_SYNC", "FULL_DOWNLOAD", "FULL_UPLOAD")


class Device:
    """`base`: URL of the server, ending in a slash."""

    def __init__(self, directory, name, base, key=None, copy_of=None):
        self.path = str(directory / f"{name}.anki2")
        if copy_of is not None:
            copy_of.close()
            shutil.copyfile(copy_of.path, self.path)
            copy_of.open()
        self.auth = SyncAuth(hkey=key or "", endpoint=base)
        self.open()

    def open(self):
        self.col = Collection(self.path)

    def close(self):
        self.col.close()

    def log_in(self, user, password):
        self.auth = when_let_in(lambda: self.col.sync_login(user, password, self.auth.endpoint))
        return self.auth.hkey

    def at(self, base):
        """The same device, talking to another URL."""
        self.auth = SyncAuth(hkey=self.auth.hkey, endpoint=base)
        return self

    # --- syncing

    def sync(self):
        """A normal sync, if the client thinks that is enough. Returns what is still required: NO_CHANGES, or the kind
        of full sync."""
        required = self.col.sync_collection(self.auth, False).required
        own_moment()
        return SyncCollectionResponse.ChangesRequired.Name(required)

    def sync_normally(self):
        wants = self.sync()
        assert wants == "NO_CHANGES", f"a full sync was forced: {wants}"

    def upload(self):
        self._full(upload=True)

    def download(self):
        self._full(upload=False)

    def _full(self, upload):
        self.col.close_for_full_sync()
        try:
            self.col.full_upload_or_download(auth=self.auth, server_usn=None, upload=upload)
        finally:
            try:
                self.col.reopen(after_full_sync=True)
            except Exception:  # pylint: disable=broad-except
                self.open()  # a failed full sync leaves the file closed

    # --- user actions

    def add_note(self, text, deck="Default", tags=()):
        note = self.col.new_note(self.col.models.by_name("Basic"))
        note["Front"], note["Back"], note.tags = text, "back", list(tags)
        with own_ids(self.col):
            self.col.add_note(note, self.col.decks.id(deck))
        return note.id

    def notes(self, search=""):
        return sorted(self.col.find_notes(search))

    def edit_note(self, note_id, text):
        note = self.col.get_note(note_id)
        note["Front"] = text
        self.col.update_note(note)

    def remove_note(self, note_id):
        self.col.remove_notes([note_id])

    def allow_many_new_cards(self):
        config = self.col.decks.get_config(1)
        config["new"]["perDay"] = 9999
        self.col.decks.update_config(config)

    def review(self, deck="Default"):
        self.col.decks.select(self.col.decks.id(deck))
        card = self.col.sched.getCard()
        card.start_timer()
        with own_ids(self.col):
            self.col.sched.answerCard(card, 3)

    # --- content

    def content(self):
        """All of the user's data, by key, without usns: they differ from device to device."""
        db = self.col.db
        found = {}
        for table, columns in (
                ("cards", "id, nid, did, ord, mod, type, queue, due, ivl, factor, reps, lapses, left, odue, odid,"
                          " flags, data"),
                ("notes", "id, guid, mid, mod, tags, flds, sfld, csum"),
                ("revlog", "id, cid, ease, ivl, lastIvl, factor, time, type")):
            for row in db.all(f"SELECT {columns} FROM {table}"):
                found[table, row[0]] = tuple(row[1:])
        for kind, objects in (("notetype", self.col.models.all()), ("deck", self.col.decks.all()),
                              ("deck config", self.col.decks.all_config())):
            for one in objects:
                found[kind, one["id"]] = json.dumps({k: v for k, v in one.items() if k != "usn"}, sort_keys=True)
        for tag in self.col.tags.all():
            found["tag", tag] = True
        return found


def changes(before, after):
    """{key: value, or None if it was removed}."""
    return {key: after.get(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def changed(content, *some):
    """The content with these changes applied."""
    result = dict(content)
    for one in some:
        result.update(one)
    return {key: value for key, value in result.items() if value is not None}


def difference(one, other):
    """For failure messages: the keys in which two contents differ."""
    keys = sorted(changes(one, other), key=str)
    return "\n".join(f"{key}: {one.get(key)!r} / {other.get(key)!r}" for key in keys[:20])
