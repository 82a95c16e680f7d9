"""Media sync, call by call: accepted files, refused files, and that a refused batch leaves nothing.

SYNCLINE_HTTP and SYNCLINE_ADMIN locate the server (`<dir>/env` of ./run).
"""

import http.client
import io
import json
import os
import pathlib
import secrets
import struct
import sys
import time
import urllib.parse
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Wire, compress, decompress, status_of
from installation import admin
from media_wire import Media, ServerMessage, sha1, upload_zip
from promises import keep, until

HTTP = os.environ["SYNCLINE_HTTP"]
PASSWORD = secrets.token_hex(8)
MIB = 1 << 20


def new_account(quota=None):
    name = f"media-{secrets.token_hex(6)}"
    admin("user", "add", name, "--password-file", "-", stdin=PASSWORD + "\n")
    if quota is not None:
        admin("user", "quota", name, str(quota))
    wire = Wire(HTTP).log_in(name, PASSWORD)
    wire.user = name
    return Media(wire)


def request(method, path, body=None, headers=None):
    base = urllib.parse.urlsplit(HTTP)
    connection = http.client.HTTPConnection(base.hostname, base.port, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def every_method_answers_in_its_form():
    media = new_account()
    assert media.wire.ask("/msync/begin", {"v": "x"}) == {"data": {"usn": 0, "sk": media.wire.key}, "err": ""}
    assert media.changes(0) == []
    assert media.upload([("a.mp3", b"aaa"), ("never", None), ("b.jpg", b"bb")]) == [3, 2]
    assert media.changes(0) == [["a.mp3", 1, sha1(b"aaa")], ["b.jpg", 2, sha1(b"bb")]]
    assert media.changes(1) == [["b.jpg", 2, sha1(b"bb")]]
    assert media.download(["b.jpg", "a.mp3"]) == {"b.jpg": b"bb", "a.mp3": b"aaa"}
    assert media.download([]) == {}
    assert (media.sanity(2), media.sanity(3)) == ("OK", "mediaSanity")
    assert media.begin() == 2
    assert media.wire.ask("meta", {"v": 11, "cv": "x"})["media_usn"] == 2


def the_old_form_of_begin_is_a_get():
    media = new_account()
    media.upload([("a", b"a")])
    query = urllib.parse.urlencode({"k": media.wire.key, "v": "anki,2.1.20"})
    status, headers, body = request("GET", f"/msync/begin?{query}")
    assert (status, json.loads(body)) == (200, {"data": {"usn": 1, "sk": media.wire.key}, "err": ""}), body
    assert int(headers["Content-Length"]) == len(body) and headers["anki-original-size"] is None
    for path in ("/msync/begin", f"/msync/begin?k={media.wire.key}", "/msync/begin?v=x", f"/msync/begin?k={media.wire.key}&v="):
        assert request("GET", path)[0] == 400, path
    assert request("GET", "/msync/begin?k=nonsense&v=x")[0] == 403
    assert request("GET", "/msync/begin?k=&v=x")[0] == 403


def every_address_that_people_enter_reaches_the_media():
    """A14: old clients have a media address of their own, and append the method to it."""
    media = new_account()
    media.upload([("a", b"a")])
    query = urllib.parse.urlencode({"k": media.wire.key, "v": "x"})
    for prefix in ("/msync/", "/msync//", "/", "/sync/media/", "/sync/", "/anki/sync/media/", "/sync/msync/", "/anki/msync/",
                   "/sync/media/msync/"):
        status, _, body = request("GET", f"{prefix}begin?{query}")
        assert (status, json.loads(body)["data"]["usn"]) == (200, 1), prefix
        for method, message in (("begin", {"v": "x"}), ("mediaChanges", {"lastUsn": 0}), ("mediaSanity", {"local": 1}),
                                ("downloadFiles", {"files": ["a"]})):
            assert request("POST", prefix + method, compress(json.dumps(message).encode()), media.wire.headers())[0] == 200, prefix
        body = compress(upload_zip([("a", b"a")]))
        assert request("POST", prefix + "uploadChanges", body, media.wire.headers())[0] == 200, prefix
    for path in ("/msync/other", "/sync/media/other", "/sync/media"):
        assert request("POST", path, b"", media.wire.headers())[0] in (404, 405), path


def without_a_valid_key_there_is_no_media():
    media = new_account()
    for key in ("", "nonsense", media.wire.key[:-1] + "x"):
        other = Media(Wire(HTTP, key))
        for call in (other.begin, lambda: other.changes(0), lambda: other.upload([("a", b"a")]), lambda: other.download(["a"]),
                     lambda: other.sanity(0)):
            assert status_of(call) == 403, key
    admin("device", "revoke", media.wire.user, "all")
    until(lambda: status_of(media.begin) == 403, 2)
    # nginx remembers for minutes that it may take the body of this key. The service looks at the key before the body.
    assert status_of(lambda: media.upload([("a", b"a")])) == 403


def names_of_every_script_come_back_as_they_went():
    """A1: also those beyond the 16-bit plane, escaped or not."""
    media = new_account()
    assert media.upload_zip(upload_zip([("x", b"1")], listing=b'[["\\ud83d\\udd0a a.mp3","0"]]')) == [1, 1]
    assert media.upload_zip(upload_zip([("x", b"1")], listing='[["\U0001f50a a.mp3","0"]]'.encode())) == [1, 1]
    assert status_of(lambda: media.upload_zip(upload_zip([("x", b"1")], listing=b'[["\\ud83d.mp3","0"]]'))) == 400
    assert media.changes(0) == [["\U0001f50a a.mp3", 1, sha1(b"1")]]
    names = ["\u6f22\u5b57.png", "\u00e9t\u00e9.jpg", "\u0440\u0443\u0441.mp3", "\u05e2\u05d1\u05e8\u05d9\u05ea.ogg",
             "\ud55c\uad6d\uc5b4.jpg", "\u0e44\u0e17\u0e22.png", "a b&c 100%.jpg", "quote\".png", "x" * 255, "\u00e9" * 127, "CON", "aux.txt",
             "A.jpg", "a.jpg", "..x", "_under.css"]
    media.upload([(name, name.encode()) for name in names])
    assert media.download(names) == {name: name.encode() for name in names}


def bad_names_are_refused_with_the_whole_batch():
    media = new_account()
    media.upload([("kept", b"1")])
    for name in ("", ".", "..", "a/b", "/etc/passwd", "../../x", "x" * 256, "\u00e9" * 128, "e\u0301.png", "nul\0.png"):
        assert status_of(lambda: media.upload([("good", b"1"), (name, b"2")])) == 400, name
        assert status_of(lambda: media.upload([("good", b"1"), (name, None)])) == 400, name
    assert media.changes(0) == [["kept", 1, sha1(b"1")]]


def a_deleted_file_is_listed_with_an_empty_hash_and_not_sent():
    """A15"""
    media = new_account()
    media.upload([("a", b"a"), ("b", b"b"), ("c", b"c")])
    media.upload([("b", None)])
    assert media.changes(0) == [["a", 1, sha1(b"a")], ["c", 3, sha1(b"c")], ["b", 4, ""]]
    assert status_of(lambda: media.download(["a", "b", "c"])) == 409
    assert media.download(["a", "c"]) == {"a": b"a", "c": b"c"}
    assert status_of(lambda: media.download(["unknown"])) == 409
    assert media.sanity(2) == "OK"
    # As AnkiDroid marks deletions.
    assert media.upload_zip(upload_zip([], listing=b'[["a",""],["c",null]]')) == [2, 6]


def the_table_of_changes_holds():
    """Section 8.6 of the reference: what is a change, and which usn it takes."""
    media = new_account()
    assert media.upload([("f", None)]) == [1, 0]
    assert media.upload([("f", b"1")]) == [1, 1]
    assert media.upload([("f", b"1")]) == [1, 1]
    assert media.upload([("f", b"2")]) == [1, 2]
    assert media.upload([("f", None)]) == [1, 3]
    assert media.upload([("f", None)]) == [1, 3]
    assert media.upload([("f", b"2")]) == [1, 4]
    assert media.upload([("f", b"3"), ("f", b"4"), ("g", b"5"), ("f", b"4")]) == [4, 7]
    assert media.changes(0) == [["f", 6, sha1(b"4")], ["g", 7, sha1(b"5")]]


def a_hundred_files_are_taken_and_one_more_is_not():
    media = new_account()
    assert media.upload([(f"f{n}", b"%d" % n) for n in range(100)]) == [100, 100]
    assert status_of(lambda: media.upload([(f"g{n}", b"1") for n in range(101)])) == 400
    assert len(media.download([f"f{n}" for n in range(100)])) == 100
    assert status_of(lambda: media.download([f"f{n % 100}" for n in range(101)])) == 400
    assert media.begin() == 100


def changes_come_a_thousand_at_a_time():
    media = new_account()
    for start in range(0, 1001, 91):
        media.upload([(f"f{n}", b"x") for n in range(start, start + 91)])
    batch = media.changes(0)
    assert len(batch) == 1000 and [usn for _, usn, _ in batch] == list(range(1, 1001))
    assert len(media.changes(1000)) == 1 and media.changes(1001) == []
    # A position of another server, above ours: everything is news.
    assert media.changes(5000) == batch


def zips_that_lie_are_refused():
    media = new_account()
    good = upload_zip([("a", b"content"), ("b", b"second")])
    at = good.index(b"PK\1\2")

    def put(offset, layout, value):
        data = bytearray(good)
        struct.pack_into(layout, data, at + offset, value)
        return bytes(data)

    ends = upload_zip([("a", b"x")])
    bad = {
        "no zip": b"MZ" + b"\0" * 1000, "empty": b"", "cut": good[:-30], "cut in a file": good[:50],
        "checksum": good.replace(b"content", b"Content", 1), "size": put(24, "<I", 3), "longer": put(24, "<I", 30),
        "compressed size": put(20, "<I", 1 << 30), "offset": put(42, "<I", 1 << 30), "method": put(10, "<H", 12),
        "encrypted": put(8, "<H", 1), "no list": zip_of({"0": b"x"}), "list is no JSON": upload_zip([("a", b"x")], listing=b"{"),
        "list is an object": upload_zip([("a", b"x")], listing=b'{"a":"0"}'),
        "list of triples": upload_zip([("a", b"x")], listing=b'[["a","0",1]]'),
        "entry that is missing": upload_zip([("a", b"x")], listing=b'[["a","7"]]'),
        "list too long": upload_zip([("a", b"x")], listing=b" " * (51 << 10) + b'[["a","0"]]'),
        "empty file": upload_zip([("a", b"x"), ("b", b"")]),
        "10,000 entries": zip_of({str(n): b"x" for n in range(10_000)}), "two of one name": twice(),
        "many directories": ends * 20,
    }
    for what, data in bad.items():
        assert status_of(lambda: media.upload_zip(data)) == 400, what
    assert media.changes(0) == [] and media.begin() == 0


def zip_of(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def twice():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("0", b"one")
        archive.writestr("_meta", b'[["a","0"]]')
        archive.NameToInfo.clear()
        archive.writestr("0", b"two")
    return out.getvalue()


def bombs_are_refused_quickly():
    media = new_account()
    zeros = b"\0" * (101 * MIB)
    begin = time.monotonic()
    assert status_of(lambda: media.upload_zip(upload_zip([("a", zeros)], compression=zipfile.ZIP_DEFLATED))) == 400
    many = upload_zip([(f"f{n}", b"\0" * (9 * MIB)) for n in range(30)], compression=zipfile.ZIP_DEFLATED)
    assert status_of(lambda: media.upload_zip(many)) == 400
    # As a zstd bomb: a zip that expands to more than any zip may have.
    assert status_of(lambda: media.upload_zip(b"\0" * (129 * MIB))) == 413
    assert time.monotonic() - begin < 20
    assert media.changes(0) == []


def memory_of_transfer(key):
    """{pid: MiB} of the processes that serve uploads and downloads."""
    found = {}
    for path in (pathlib.Path(os.environ["SYNCLINE_DIR"]) / "pids").glob("transfer.*"):
        if path.name[9:].isdigit():
            pid = path.read_text().split()[0]
            lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
            found[pid] = next(int(line.split()[1]) for line in lines if line.startswith(key)) // 1024
    return found


def a_file_of_100_mib_goes_up_and_down_in_flat_memory():
    media = new_account()
    data = secrets.token_bytes(MIB) * 100
    before = memory_of_transfer("VmRSS")
    for pid in before:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets the peak
    assert media.upload([("small", b"1"), ("huge.mp4", data), ("last", b"2")]) == [3, 3]
    assert media.download(["small", "huge.mp4", "last"]) == {"small": b"1", "huge.mp4": data}
    assert status_of(lambda: media.upload([("more.mp4", data + b"1")])) == 400
    assert media.sanity(3) == "OK"
    grown = max(peak - before[pid] for pid, peak in memory_of_transfer("VmHWM").items() if pid in before)
    assert grown < 64, grown
    return f"{grown} MiB"


def an_account_over_its_quota_is_told_so_and_goes_on():
    media = new_account(quota=1)
    media.upload([("a", b"x" * 900_000)])
    for size in (200_000, 3 * MIB):
        try:
            media.upload([("b", b"y" * size)])
            raise AssertionError("taken")
        except ServerMessage as message:
            assert "storage on this server is full" in str(message), message
    assert media.begin() == 1 and media.sanity(1) == "OK"
    assert media.download(["a"]) == {"a": b"x" * 900_000}
    assert media.upload([("a", None)]) == [1, 2]
    # The collection syncs all the same.
    assert media.wire.ask("meta", {"v": 11, "cv": "x"})["cont"] is True


def the_reply_of_a_version_8_header_is_not_compressed():
    media = new_account()
    media.upload([("a", b"abc")])
    headers = media.wire.headers()
    headers["anki-sync"] = headers["anki-sync"].replace('"v":11', '"v":10')
    status, answer, body = request("POST", "/msync/mediaChanges", compress(b'{"lastUsn":0}'), headers)
    assert (status, json.loads(body)["data"]) == (200, [["a", 1, sha1(b"abc")]])
    status, answer, body = request("POST", "/msync/downloadFiles", compress(b'{"files":["a"]}'), headers)
    assert status == 200 and int(answer["Content-Length"]) == len(body) and zipfile.ZipFile(io.BytesIO(body)).read("0") == b"abc"
    status, answer, body = request("POST", "/msync/downloadFiles", compress(b'{"files":["a"]}'), media.wire.headers())
    assert zipfile.ZipFile(io.BytesIO(decompress(body, int(answer["anki-original-size"])))).read("0") == b"abc"


if __name__ == "__main__":
    sys.exit(keep(every_method_answers_in_its_form, the_old_form_of_begin_is_a_get, every_address_that_people_enter_reaches_the_media,
                  without_a_valid_key_there_is_no_media, names_of_every_script_come_back_as_they_went,
                  bad_names_are_refused_with_the_whole_batch, a_deleted_file_is_listed_with_an_empty_hash_and_not_sent,
                  the_table_of_changes_holds, a_hundred_files_are_taken_and_one_more_is_not, changes_come_a_thousand_at_a_time,
                  zips_that_lie_are_refused, bombs_are_refused_quickly, a_file_of_100_mib_goes_up_and_down_in_flat_memory,
                  an_account_over_its_quota_is_told_so_and_goes_on, the_reply_of_a_version_8_header_is_not_compressed))
