"""Packages: imported through the API, received by devices with pending edits by a normal sync; exported, and imported by
the real client; refused with a reason when they are damaged.

The .apkg and .colpkg files are made by the real exporter. Each kind is imported, and the real client imports what the
server exports.
"""

import base64
import contextlib
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import sqlite3
import time
import zipfile

import zstandard
from anki import import_export_pb2
from anki._backend import RustBackend
from anki.collection import Collection
from devices import ClientTest, Proxy, admin, assert_same, main, sql
from packages import (call, comparable, export_package, import_locally, import_package, make_package, refused_package,
                      start_import, state_of, wait_for)

# A 1x1 picture; files differ by what follows it.
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def sync_media(device):
    """Waits until the media sync that a device begins is over."""
    device.col.sync_media(device.auth)
    end = time.monotonic() + 60
    while device.col.media_sync_status().active:
        assert time.monotonic() < end
        time.sleep(0.02)


def media_of(collection):
    folder = pathlib.Path(collection.media.dir())
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def add_media(collection, name, data):
    pathlib.Path(collection.media.dir(), name).write_bytes(data)


@contextlib.contextmanager
def collection(folder, name="source.anki2"):
    opened = Collection(str(folder / name))
    try:
        yield opened
    finally:
        opened.close()


def add_note(col, fields, deck="Lang::FR", notetype="Basic", tags=()):
    note = col.new_note(col.models.by_name(notetype))
    for i, text in enumerate(fields):
        note.fields[i] = text
    note.tags = list(tags)
    col.add_note(note, col.decks.id(deck))
    return note


def repacked(path, change):
    """The package with other entries: change({name: bytes}) -> {name: bytes}."""
    with zipfile.ZipFile(path) as package:
        entries = {name: package.read(name) for name in package.namelist()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for name, data in change(entries).items():
            package.writestr(name, data)
    return out.getvalue()


def as_legacy1(path):
    """The package as Anki 2.0 wrote it: no meta, collection.anki2."""
    def change(entries):
        del entries["meta"]
        entries["collection.anki2"] = entries.pop("collection.anki21")
        return entries
    return repacked(path, change)


class Packages(ClientTest):
    def source(self, name="source.anki2"):
        """A collection with notes, reviews and media."""
        opened = self.enterContext(collection(self.account.folder, name))
        add_media(opened, "one.png", PNG + b"1")
        add_media(opened, "two.mp3", b"ID3 two")
        add_media(opened, "_style.css", b".card {}")
        add_media(opened, "unused.png", PNG + b"unused")
        add_note(opened, ["first <img src='one.png'>", "back"], tags=["marked", "verb"])
        add_note(opened, ["second [sound:two.mp3]", "back"])
        add_note(opened, ["third", "back"], deck="Other")
        notetype = opened.models.by_name("Basic")
        notetype["css"] += '@import "_style.css";'
        opened.models.update_dict(notetype)
        for card in opened.db.list("select id from cards"):
            opened.db.execute("update cards set type=2, queue=2, due=?, ivl=20, factor=2300, reps=3, data=? where id=?",
                              opened.sched.today + 5, json.dumps({"lrt": (card + 1000) // 1000}), card)
            opened.db.execute("insert into revlog values (?, ?, -1, 3, 20, 10, 2300, 4000, 1)", card + 1000, card)
        return opened

    def receive(self, package, expected_notes=3, with_media=True, **options):
        """Two devices with pending edits get what is imported by normal syncs. Returns the report."""
        one, two = self.pair(2)
        one.add_note("pending on one")
        one.answer("Default")
        two.edit("note <b>0</b> &amp; \u00e9", Back="edited on two")
        self.account.wait_for_import()
        report = import_package(self.account, package, **options)
        self.assertEqual(report["notes"]["added"], expected_notes)
        for device in (one, two, one):
            device.sync()
            sync_media(device)
        self.assertEqual(one.count("notes"), 3 + expected_notes)
        assert_same(one, two)
        if with_media:
            for device in (one, two):
                media = media_of(device.col)
                self.assertEqual(media["one.png"], PNG + b"1")
                self.assertEqual(media["two.mp3"], b"ID3 two")
                self.assertEqual(media["_style.css"], b".card {}")
                self.assertNotIn("unused.png", media)
            self.assertEqual((report["media"]["added"], report["media"]["found"]), (3, 3))
        before = self.account.value("usn"), self.account.value("mod_ms")
        again = import_package(self.account, package, **options)
        self.assertEqual(again["notes"]["added"] + again["media"]["added"], 0)
        self.assertEqual(before, (self.account.value("usn"), self.account.value("mod_ms")))
        return report, one

    def test_an_apkg_of_each_version_reaches_devices_by_a_normal_sync(self):
        for legacy in (False, True):
            for scheduling in (False, True):
                with self.subTest(legacy=legacy, scheduling=scheduling):
                    self.setUp()
                    path = make_package(self.source(), self.account.folder / "a.apkg", legacy=legacy,
                                        with_scheduling=scheduling, with_deck_configs=scheduling)
                    report, device = self.receive(path, with_scheduling=scheduling, with_deck_configs=scheduling)
                    self.assertEqual(report["reviews"]["added"], 3 if scheduling else 0)
                    due = device.col.db.list("select due from cards where type = 2 and reps = 3")
                    self.assertEqual(due, [device.col.sched.today + 5] * (3 if scheduling else 0))
                    self.assertEqual(device.count("notes where tags like '%marked%'"), 1 if scheduling else 0)
        self.setUp()
        path = make_package(self.source(), self.account.folder / "a.apkg", legacy=True, with_scheduling=True)
        self.receive(as_legacy1(path), with_scheduling=True)

    def test_a_colpkg_replaces_the_collection_and_history_has_the_old_one(self):
        for legacy in (False, True):
            with self.subTest(legacy=legacy):
                self.setUp()
                self.source().close()
                path = self.account.folder / "all.colpkg"
                copy = Collection(str(self.account.folder / "source.anki2"))
                copy.export_collection_package(str(path), include_media=True, legacy=legacy)
                one, two = self.pair(2)
                one.add_note("never sent")
                report = import_package(self.account, path, kind="colpkg")
                self.assertEqual((report["kind"], report["media"]["added"]), ("colpkg", 4))
                for device in (one, two):
                    self.assertIn(device.required(), (2, 3), "a full sync, with a choice")
                    device.download()
                    sync_media(device)
                    self.assertEqual(device.count("notes"), 3)
                    self.assertEqual(media_of(device.col)["unused.png"], PNG + b"unused")
                assert_same(one, two)
                one.add_note("after").flush()
                one.sync()
                two.sync()
                assert_same(one, two)
                self.assertEqual(admin("anki", "history", self.account.name).count("a collection of"), 2)

    def test_an_exported_deck_imported_by_the_client_is_the_same(self):
        for legacy in (False, True):
            for scheduling in (False, True):
                with self.subTest(legacy=legacy, scheduling=scheduling):
                    self.setUp()
                    source = self.source()
                    one, _ = self.pair(1)
                    self.account.wait_for_import()
                    options = {"with_scheduling": scheduling, "with_deck_configs": scheduling}
                    import_package(self.account, make_package(source, self.account.folder / "in.apkg", with_scheduling=True,
                                                              with_deck_configs=True), with_scheduling=True,
                                   with_deck_configs=True)
                    one.sync()
                    sync_media(one)
                    ours = export_package(self.account, self.account.folder / "ours.apkg", deck="lang", legacy=legacy, **options)
                    theirs = make_package(one.col, self.account.folder / "theirs.apkg", deck="Lang", legacy=legacy, **options)
                    found = []
                    collection(self.account.folder, "empty.anki2").__enter__().close()
                    for path in (ours, theirs):
                        name = pathlib.Path(path).stem + ".anki2"
                        shutil.copy(self.account.folder / "empty.anki2", self.account.folder / name)
                        with collection(self.account.folder, name) as empty:
                            log = import_locally(empty, path, **options)
                            self.assertEqual(len(log.new), 2)
                            found.append((comparable(empty), media_of(empty)))
                    self.assertEqual(found[0], found[1])
                    self.assertEqual(len(found[0][1]), 3)

    def test_an_exported_collection_imported_by_the_client_is_the_same(self):
        for legacy in (False, True):
            for changed in (False, True):
                with self.subTest(legacy=legacy, changed=changed):
                    self.setUp()
                    one, _ = self.pair(3)
                    add_media(one.col, "x.png", PNG)
                    sync_media(one)
                    if changed:
                        one.add_note("later")
                        one.answer("Default")
                        one.sync()
                    path = export_package(self.account, self.account.folder / "all.colpkg", legacy=legacy)
                    target = self.account.folder / "restored.anki2"
                    media = self.account.folder / "restored.media"
                    media.mkdir()
                    RustBackend(langs=["en"]).import_collection_package(
                        col_path=str(target), backup_path=str(path), media_folder=str(media),
                        media_db=str(self.account.folder / "restored.media.db2"))
                    other = Collection(str(target))
                    self.assertEqual(comparable(other), comparable(one.col))
                    self.assertEqual(media_of(other), {"x.png": PNG})
                    other.close()

    def test_a_form_and_the_key_of_a_device_are_accepted(self):
        path = make_package(self.source(), self.account.folder / "a.apkg")
        one, _ = self.pair(1)
        self.account.wait_for_import()
        body = (b'--x\r\nContent-Disposition: form-data; name="file"; filename="deck.apkg"\r\n'
                b"Content-Type: application/octet-stream\r\n\r\n" + pathlib.Path(path).read_bytes() + b"\r\n--x--\r\n")
        key = json.dumps({"v": 11, "k": one.auth.hkey, "c": "x", "s": "y"})
        status, headers, answer = call(None, "/api/sync/import/", "POST", body,
                                       {"Content-Type": "multipart/form-data; boundary=x", "anki-sync": key})
        self.assertEqual(status, 202, answer)
        state = wait_for(self.account, headers["Location"])
        self.assertEqual((state["state"], state["file_name"]), ("done", "deck.apkg"))
        self.assertEqual(call(None, headers["Location"])[0], 401)

    def test_an_import_waits_for_a_running_sync(self):
        path = make_package(self.source(), self.account.folder / "a.apkg")
        one, _ = self.pair(1)
        self.account.wait_for_import()
        states = []

        def before(method):
            if method == "sanityCheck2":
                location = start_import(self.account, path)
                time.sleep(1)
                states.append((location, state_of(self.account, location)["state"]))
        with Proxy(before=before) as proxy:
            one.add_note("during the import")
            one.at(proxy.url)
            one.sync()
        self.assertNotEqual(states[0][1], "done")
        self.assertEqual(wait_for(self.account, states[0][0])["state"], "done")
        one.sync()
        self.assertEqual(one.count("notes"), 5)
        self.assertEqual(one.problems(), "")

    def test_damaged_packages_are_refused_with_a_reason_and_change_nothing(self):
        good = make_package(self.source(), self.account.folder / "a.apkg")
        legacy = make_package(self.source(name="other.anki2"), self.account.folder / "b.apkg", legacy=True)
        self.pair(1)
        self.account.wait_for_import()
        data = pathlib.Path(good).read_bytes()
        entries = import_export_pb2.MediaEntries()

        def media(*names, sha1=b"x" * 20):
            del entries.entries[:]
            for name in names:
                entries.entries.add(name=name, size=1, sha1=sha1)
            return zstandard.compress(entries.SerializeToString())

        def with_entry(**changed):
            return lambda found: {**found, **changed}

        def without(name):
            return lambda found: {key: value for key, value in found.items() if key != name}
        before = sql(f"SELECT usn, mod_ms, schema_ms, notes FROM anki_collections WHERE user_id = {self.account.id()}")
        for name, package, code in (
                ("cut off", data[:len(data) // 2], "not_a_package"),
                ("cut at the end", data[:-10], "not_a_package"),
                ("too new", repacked(good, with_entry(meta=b"\x08\x09")), "package_too_new"),
                ("meta lies", repacked(good, with_entry(meta=b"\x08\x02")), "package_damaged"),
                ("no collection", repacked(good, without("collection.anki21b")), "package_damaged"),
                ("not zstd", repacked(good, with_entry(**{"collection.anki21b": b"x"})), "package_damaged"),
                ("no SQLite", repacked(good, with_entry(**{"collection.anki21b": zstandard.compress(bytes(1 << 20))})), "collection_refused"),
                ("path", repacked(good, with_entry(media=media("../x"), **{"0": b""})), "package_damaged"),
                ("absolute", repacked(good, with_entry(media=media("/etc/passwd"))), "package_damaged"),
                ("device name", repacked(good, with_entry(media=media("con.txt"))), "package_damaged"),
                ("long name", repacked(good, with_entry(media=media("x" * 200))), "package_damaged"),
                ("wrong hash", repacked(good, with_entry(media=media("_a", "_b", "_c"))), "package_damaged"),
                ("missing entry", repacked(good, without("0")), "package_damaged"),
                ("names as numbers", repacked(legacy, with_entry(media=b'{"a.png":"a.png"}')), "package_damaged"),
                ("gap", repacked(legacy, with_entry(media=b'{"77":"a.png"}')), "package_damaged"),
                ("list no JSON", repacked(legacy, with_entry(media=b"{")), "package_damaged"),
                ("unknown file", b"PK\x05\x06" + bytes(18), "not_a_package")):
            with self.subTest(name):
                self.assertEqual(refused_package(self.account, package), code)
        for body, code in ((b"MZ an executable", "not_a_package"), (b"", "empty_body")):
            status, _, answer = call(self.account, "/api/sync/import/", "POST", body,
                                     {"Content-Type": "application/octet-stream"})
            self.assertEqual((status, json.loads(answer)["code"]), (400, code))
            self.assertTrue(json.loads(answer)["message"])
        self.assertEqual(call(self.account, "/api/sync/import/?update_notes=sometimes", "POST", data)[0], 400)
        self.assertEqual(call(self.account, "/api/sync/export/?deck=none")[0], 404)
        self.assertEqual(before, sql("SELECT usn, mod_ms, schema_ms, notes FROM anki_collections "
                                     f"WHERE user_id = {self.account.id()}"))
        self.assertEqual(sql(f"SELECT count(*) FROM anki_media_files WHERE user_id = {self.account.id()}"), [["0"]])
        # Damaged lists that are no reason to refuse.
        self.assertEqual(import_package(self.account, repacked(legacy, without("media")))["notes"]["added"], 3)
        self.assertEqual(import_package(self.account, repacked(good, with_entry(media=media())))["notes"]["found"], 3)

    def test_what_expands_too_far_is_cut_off_or_left_out_in_flat_memory(self):
        good = make_package(self.source(), self.account.folder / "a.apkg")
        self.pair(1)
        self.account.wait_for_import()

        def zeros(mib):
            packer = zstandard.ZstdCompressor().compressobj()
            return b"".join(packer.compress(bytes(1 << 20)) for _ in range(mib)) + packer.flush()

        def peak():
            pids = pathlib.Path(os.environ["SYNCLINE_DIR"], "pids", "worker.1").read_text().split()
            status = pathlib.Path("/proc", pids[0], "status").read_text()
            return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) >> 10
        before = peak()
        bomb = zeros(2100)
        self.assertLess(len(bomb), 1 << 20)
        self.assertEqual(refused_package(self.account, repacked(good, lambda found: {**found, "collection.anki21b": bomb})),
                         "package_too_large")
        entries = import_export_pb2.MediaEntries()
        entries.entries.add(name="_large.bin", size=1, sha1=hashlib.sha1(b"").digest())
        entries.entries.add(name="_empty.bin", size=0, sha1=hashlib.sha1(b"").digest())
        report = import_package(self.account, repacked(good, lambda found: {
            **{name: data for name, data in found.items() if not name.isdigit()},
            "media": zstandard.compress(entries.SerializeToString()), "0": zeros(101), "1": zstandard.compress(b"")}))
        self.assertEqual(report["media"]["skipped"],
                         [{"name": "_large.bin", "why": "too_large"}, {"name": "_empty.bin", "why": "empty"}])
        self.assertEqual(report["notes"]["added"], 3)
        # None is too large, all together are: 1.2 GiB from a package of some KiB.
        del entries.entries[:]
        for i in range(30):
            entries.entries.add(name=f"_{i}.bin", size=40 << 20, sha1=hashlib.sha1(bytes(40 << 20)).digest())
        content = zeros(40)
        begin = time.monotonic()
        self.assertEqual(refused_package(self.account, repacked(good, lambda found: {
            **{name: data for name, data in found.items() if not name.isdigit()},
            "media": zstandard.compress(entries.SerializeToString()), **{str(i): content for i in range(30)}})),
                         "package_too_large")
        self.assertLess(time.monotonic() - begin, 20)
        self.assertLess(peak() - before, 64)

    def test_entries_that_no_client_writes_are_refused(self):
        """LZMA takes as much memory as an entry demands."""
        good = make_package(self.source(), self.account.folder / "a.apkg")
        self.pair(1)
        self.account.wait_for_import()
        with zipfile.ZipFile(good) as package:
            entries = {name: package.read(name) for name in package.namelist()}
        for method, code in ((zipfile.ZIP_DEFLATED, None), (zipfile.ZIP_LZMA, "package_damaged"), (zipfile.ZIP_BZIP2, "package_damaged")):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", method) as package:
                for name, data in entries.items():
                    package.writestr(name, data)
            if code:
                self.assertEqual(refused_package(self.account, out.getvalue()), code)
            else:
                self.assertEqual(import_package(self.account, out.getvalue())["notes"]["added"], 3)

    def test_a_deck_is_exported_with_all_files_that_its_templates_name(self):
        one, _ = self.pair(1)
        names = ("_a", "_a.css", "_a.css.map", "_b c.js", "_\u00e9\u6f22.png", "_unused.png", "_")
        for name in names:
            add_media(one.col, name, name.encode())
        notetype = one.col.models.by_name("Basic")
        notetype["css"] += '@import "_a.css.map";'
        notetype["tmpls"][0]["qfmt"] += '<script src="_b c.js"></script>'
        notetype["tmpls"][0]["afmt"] += "<img src='_\u00e9\u6f22.png'>"
        one.col.models.update_dict(notetype)
        one.sync()
        sync_media(one)
        path = export_package(self.account, self.account.folder / "ours.apkg", deck="Default")
        with collection(self.account.folder, "empty.anki2") as empty:
            import_locally(empty, path)
            self.assertEqual(set(media_of(empty)), set(names) - {"_unused.png"})

    def test_other_content_under_a_name_gets_a_name_with_its_hash(self):
        """As the real client does; in 26.9.3 it overwrites a file with "&" in its name instead."""
        names = {"plain.mp4": "[sound:plain.mp4]", "pict.jpg": "<img src=pict.jpg>"}
        escaped = {"Bibi & Bubu.mp4": "[sound:Bibi &amp; Bubu.mp4]", "R&D 100%.jpg": "<img src='R&amp;D 100%.jpg'>"}
        source = self.enterContext(collection(self.account.folder))
        theirs = self.enterContext(collection(self.account.folder, "theirs.anki2"))
        one, _ = self.pair(1)
        for name in (*names, *escaped):
            add_media(source, name, b"theirs " + name.encode())
            add_media(one.col, name, b"ours")
            if name in names:
                add_media(theirs, name, b"ours")
        sync_media(one)
        add_media(source, "x y.jpg", b"unused")
        add_note(source, ["plain " + " ".join(names.values()), "b"])
        add_note(source, ["escaped " + " ".join(escaped.values()) + ' <img src="x%20y.jpg">', "b"])
        path = make_package(source, self.account.folder / "a.apkg", legacy=True)
        self.account.wait_for_import()
        report = import_package(self.account, path)
        self.assertEqual((report["media"]["added"], report["media"]["renamed"]), (4, 4))
        one.sync()
        sync_media(one)
        import_locally(theirs, path)
        fields = one.col.db.scalar("select flds from notes where flds like 'plain%'")
        self.assertEqual(fields, theirs.db.scalar("select flds from notes where flds like 'plain%'"))
        media = media_of(one.col)
        for name, data in media_of(theirs).items():
            if "&" not in name:
                self.assertEqual(media[name], data)
        fields = one.col.db.scalar("select flds from notes where flds like 'escaped%'")
        for name in escaped:
            stem, extension = name.rsplit(".", 1)
            data = b"theirs " + name.encode()
            renamed = f"{stem}-{hashlib.sha1(data).hexdigest()}.{extension}"
            self.assertIn(renamed.replace("&", "&amp;"), fields)
            self.assertEqual(media[renamed], data)
            self.assertEqual(media[name], b"ours")
        self.assertIn("x%20y.jpg", fields)

    def test_a_style_file_of_ours_stays_and_the_report_says_so(self):
        with collection(self.account.folder) as source:
            add_media(source, "_shared.css", b"v1")
            add_note(source, ["a", "b"])
            notetype = source.models.by_name("Basic")
            notetype["css"] += '@import "_shared.css";'
            source.models.update_dict(notetype)
            one, _ = self.pair(1)
            self.account.wait_for_import()
            import_package(self.account, make_package(source, self.account.folder / "a.apkg"))
            add_media(source, "_shared.css", b"v2 v2")
            report = import_package(self.account, make_package(source, self.account.folder / "b.apkg"),
                                    update_notes="always", update_notetypes="always")
            self.assertEqual((report["media"]["kept_yours"], report["media"]["added"]), (1, 0))
            one.sync()
            sync_media(one)
            self.assertEqual(media_of(one.col), {"_shared.css": b"v1"})

    def test_a_notetype_with_another_field_is_added_once(self):
        one, _ = self.pair(1)
        self.account.wait_for_import()
        with collection(self.account.folder) as source:
            for front in ("a", "b", "c"):
                add_note(source, [front, "back"])
            import_package(self.account, make_package(source, self.account.folder / "v1.apkg"))
            notetype = source.models.by_name("Basic")
            source.models.add_field(notetype, source.models.new_field("Extra"))
            source.models.update_dict(notetype)
            source.db.execute("update notes set mod = mod + 100")
            add_note(source, ["d", "back", "extra"])
            path = make_package(source, self.account.folder / "v2.apkg")
            schema = self.account.value("schema_ms")
            for attempt in range(3):
                report = import_package(self.account, path)
                self.assertEqual((report["notes"]["conflicting"], report["notes"]["added"]), (3, 1 if attempt == 0 else 0))
            self.assertEqual(refused_package(self.account, path, merge_notetypes=True), "merge_needs_full_sync")
            self.assertEqual(self.account.value("schema_ms"), schema)
            one.sync()
            self.assertEqual(one.count("notetypes where name like 'Basic+%'"), 2)
            self.assertEqual(one.problems(), "")

    def test_a_merge_that_adds_nothing_to_our_notetype_is_what_the_client_does_without_a_full_sync(self):
        def more_fields(col, notetype):
            col.models.add_field(notetype, col.models.new_field("Ours"))
            col.models.reposition_field(notetype, notetype["flds"][2], 1)

        def more_templates(col, notetype):
            template = col.models.new_template("Ours")
            template["qfmt"], template["afmt"] = "{{Back}}", "{{Front}}"
            col.models.add_template(notetype, template)
            col.models.reposition_template(notetype, notetype["tmpls"][1], 0)

        def other_order(col, notetype):
            col.models.reposition_field(notetype, notetype["flds"][1], 0)

        for change in (more_fields, more_templates, other_order):
            for newer in (False, True):
                with self.subTest(change=change.__name__, newer=newer):
                    self.setUp()
                    source = self.source()
                    one, _ = self.pair(1)
                    self.account.wait_for_import()
                    import_package(self.account, make_package(source, self.account.folder / "v1.apkg", with_scheduling=True),
                                   with_scheduling=True)
                    one.sync()
                    name = one.col.db.scalar("select name from notetypes where id = ?", source.models.by_name("Basic")["id"])
                    notetype = one.col.models.by_name(name)
                    change(one.col, notetype)
                    one.col.models.update_dict(notetype)
                    one.upload()
                    self.account.wait_for_import()
                    source.db.execute("update notetypes set mtime_secs = mtime_secs + ?", 100 if newer else -100)
                    note = add_note(source, ["fourth front", "fourth back"], tags=["new"])
                    source.db.execute("update notes set mod = mod + 100, flds = flds || ' changed' where id < ?", note.id)
                    path = make_package(source, self.account.folder / "v2.apkg", with_scheduling=True)
                    one.col.close()
                    shutil.copy(one.path, self.account.folder / "copy.anki2")
                    one.col = Collection(str(one.path))
                    schema = self.account.value("schema_ms")
                    with collection(self.account.folder, "copy.anki2") as copy:
                        import_locally(copy, path, merge_notetypes=True, with_scheduling=True)
                        report = import_package(self.account, path, merge_notetypes=True, with_scheduling=True)
                        self.assertEqual((report["notes"]["added"], report["notes"]["updated"]), (1, 3))
                        one.sync()
                        ours, theirs = comparable(one.col), comparable(copy)
                        tables = ["notes", "cards", "revlog", "fields", "templates", "notetypes"]
                        if newer and change is other_order:  # the client takes their sort field, and forces a full sync
                            tables.remove("notetypes")
                            for side in (ours, theirs):
                                side["notes"] = [row[:5] + row[6:] for row in side["notes"]]
                        for table in tables:
                            self.assertEqual(ours[table], theirs[table], table)
                        self.assertEqual(one.problems(), "")
                    self.assertEqual(self.account.value("schema_ms"), schema)
                    again = import_package(self.account, path, merge_notetypes=True, with_scheduling=True)
                    self.assertEqual((again["notes"]["added"], again["notes"]["updated"], again["cards"]["added"]), (0, 0, 0))

    def test_a_collection_of_the_old_scheduler_is_refused_and_an_old_package_upgraded(self):
        source = self.source()
        path = make_package(source, self.account.folder / "a.apkg", with_scheduling=True, legacy=True)
        one, _ = self.pair(1)
        self.account.wait_for_import()

        def as_old(entries):
            file = self.account.folder / "old.anki21"
            file.write_bytes(entries["collection.anki21"])
            db = sqlite3.connect(file)
            config = json.loads(db.execute("select conf from col").fetchone()[0])
            config["schedVer"] = 1
            config.pop("creationOffset", None)
            db.execute("update col set conf = ?", (json.dumps(config),))
            db.execute("update cards set queue = 1 where id = (select min(id) from cards)")
            db.commit()
            db.close()
            return {**entries, "collection.anki21": file.read_bytes()}
        old = self.account.folder / "old.apkg"
        old.write_bytes(repacked(path, as_old))
        local = shutil.copytree(self.account.folder, self.account.folder / "local", ignore=shutil.ignore_patterns("local"))
        import_package(self.account, old, with_scheduling=True)
        one.sync()
        theirs = Collection(str(local / "0.anki2"))
        import_locally(theirs, old, with_scheduling=True)
        for table in ("notes", "cards", "revlog"):
            self.assertEqual(comparable(one.col)[table], comparable(theirs)[table], table)
        theirs.close()
        sql(f"UPDATE anki_config SET config = replace(config, '\"schedVer\":2', '\"schedVer\":1') WHERE user_id = {self.account.id()}")
        self.assertEqual(refused_package(self.account, path), "scheduler_upgrade_required")

    def test_odd_ids_are_moved_and_packages_imported_twice_add_nothing(self):
        one, _ = self.pair(1)
        self.account.wait_for_import()
        paths = []
        for name in ("x", "y"):
            with collection(self.account.folder, name + ".anki2") as source:
                note = add_note(source, [name, "back"])
                source.db.execute("update notes set id = 105 where id = ?", note.id)
                source.db.execute("update cards set id = 419, nid = 105 where nid = ?", note.id)
                note = add_note(source, [name + " far", "back"])
                source.db.execute("update cards set id = 164861234567890 where nid = ?", note.id)
                with contextlib.suppress(Exception):  # a client refuses to export such ids
                    make_package(source, self.account.folder / (name + ".apkg"), with_scheduling=True)
            path = self.account.folder / (name + ".colpkg")
            copy = Collection(str(self.account.folder / (name + ".anki2")))
            copy.export_collection_package(str(path), include_media=False, legacy=True)
            paths.append(path)
        for path, added in ((paths[0], 2), (paths[1], 2), (paths[0], 0), (paths[1], 0)):
            report = import_package(self.account, path, kind="apkg", with_scheduling=True)
            self.assertEqual((report["notes"]["added"], report["cards"]["added"]), (added, added))
        one.sync()
        self.assertEqual(sorted(one.col.db.list("select id from notes where id < 10000")), [105, 1104])
        self.assertEqual(sorted(one.col.db.list("select id from cards where id < 10000")), [419, 1418])
        self.assertEqual(one.count("cards where id > (strftime('%s', 'now') + 86400) * 1000"), 0)
        self.assertEqual(one.problems(), "")

    def test_options_groups_of_ours_are_never_changed(self):
        one, _ = self.pair(1)
        group = one.col.decks.get_config(1)
        group["new"]["perDay"] = 33
        one.col.decks.update_config(group)
        one.sync()
        self.account.wait_for_import()
        with collection(self.account.folder) as source:
            add_note(source, ["a", "b"])
            theirs = source.decks.get_config(1)
            theirs["new"]["perDay"] = 5
            source.decks.update_config(theirs)
            report = import_package(self.account, make_package(source, self.account.folder / "a.apkg", with_scheduling=True,
                                                               with_deck_configs=True), with_scheduling=True,
                                    with_deck_configs=True)
        self.assertEqual(report["deck_configs"], {"added": 0, "kept": 1})
        one.sync()
        self.assertEqual(one.col.decks.get_config(1)["new"]["perDay"], 33)

    def test_an_export_of_a_deck_has_its_children_and_no_neighbours(self):
        one, _ = self.pair(1)
        for deck in ("A", "A::B", "A::B::C", "A::Bx"):
            one.add_note(deck + " 1", deck=deck)
            one.add_note(deck + " 2", deck=deck)
        filtered = one.col.decks.new_filtered("F")
        deck = one.col.decks.get(filtered)
        deck["terms"] = [['"deck:A::B" "A::B 1"', 1, 0]]
        one.col.decks.save(deck)
        one.col.sched.rebuild_filtered_deck(filtered)
        one.sync()
        path = export_package(self.account, self.account.folder / "b.apkg", deck="A::B")
        with collection(self.account.folder, "fresh.anki2") as fresh:
            self.assertEqual(len(import_locally(fresh, path).new), 4)
            names = {item.name for item in fresh.decks.all_names_and_ids()}
            self.assertIn("A", names)
            self.assertNotIn("A::Bx", names)

    def test_the_administrator_imports_and_exports(self):
        path = make_package(self.source(), self.account.folder / "a.apkg")
        one, _ = self.pair(1)
        self.account.wait_for_import()
        self.assertIn("Notes: 3 added", admin("anki", "import", self.account.name, path))
        one.sync()
        self.assertEqual(one.count("notes"), 4)
        out = self.account.folder / "out.colpkg"
        admin("anki", "export", self.account.name, str(out))
        self.assertTrue(zipfile.is_zipfile(out))
        broken = self.account.folder / "broken.apkg"
        broken.write_bytes(b"PK nothing")
        with self.assertRaisesRegex(RuntimeError, "not an Anki package"):
            admin("anki", "import", self.account.name, str(broken))

    def test_an_account_without_a_collection_imports_too(self):
        path = make_package(self.source(), self.account.folder / "a.apkg")
        self.assertEqual(import_package(self.account, path)["notes"]["added"], 3)
        device = self.account.device()
        device.download()
        sync_media(device)
        self.assertEqual(device.count("notes"), 3)
        self.assertEqual(media_of(device.col)["one.png"], PNG + b"1")
        self.assertEqual(device.problems(), "")


if __name__ == "__main__":
    main()
