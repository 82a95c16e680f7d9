"""A refusal leaves a report for the administrator: one for any number of repetitions, none for unknown callers, and
without changing the answer.

SYNCLINE_HTTP, SYNCLINE_ADMIN and DATABASE_URL locate the server (`<dir>/env` of ./run).
"""

import os
import pathlib
import secrets
import sqlite3
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_forms import FormWire
from anki_wire import Wire, status_of
from database import Hold, Session, everybody
from installation import admin
from media_wire import Media, ServerMessage
from promises import keep, until

HTTP = os.environ["SYNCLINE_HTTP"]
DATABASE = os.environ["DATABASE_URL"]
PASSWORD = secrets.token_hex(8)
NOTE = [1_700_000_000_001, "guid", 99, 1_700_000_000, -1, "", "front\x1fback", "", "", 0, ""]
CARD = [1_700_000_000_002, 1_700_000_000_001, 1, 0, 1_700_000_000, -1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, "{}"]


def new_account(quota=None):
    name = f"problems-{secrets.token_hex(6)}"
    admin("user", "add", name, "--password-file", "-", stdin=PASSWORD + "\n")
    if quota is not None:
        admin("user", "quota", name, str(quota))
    wire = Wire(HTTP).log_in(name, PASSWORD)
    wire.user = name
    return wire


def problems(wire):
    return admin("anki", "problems", wire.user)


def rows_of(wire):
    with Session(DATABASE) as session:
        return session.number("SELECT count(*) FROM anki_problems p JOIN users u USING (user_id)"
                              f" WHERE u.name = '{wire.user}'")


def shows(wire, *texts):
    """The report is written without waiting for its commit."""
    until(lambda: all(text in problems(wire) for text in texts), 5)


def a_refused_message_tells_which_call_why_and_what_was_sent_before():
    wire = new_account()
    wire.ask("start", {"minUsn": 0, "lnewer": True, "graves": None})
    wire.ask("applyChunk", {"chunk": {"done": False, "cards": [CARD]}})
    assert status_of(lambda: wire.ask("applyChunk", {"chunk": {"done": True, "notes": [NOTE]}})) == 400
    shows(wire, "refused the call applyChunk (missing_notetype)", "What to do: On that device: Tools > Check Database",
          "why: note 1700000000001 of notetype 99", "touched: {cards:{count:1,ids:[1700000000002]}}", "26.08.1,c32cb291,linux")
    assert "front" not in problems(wire), "a text of a note"
    # The session has ended, as before.
    assert status_of(lambda: wire.ask("finish")) == 409
    assert rows_of(wire) == 1, "a 409 is no refusal"


def a_message_that_is_no_json_is_reported_and_its_session_goes_on():
    wire = new_account()
    wire.ask("start", {"minUsn": 0, "lnewer": True, "graves": None})
    assert status_of(lambda: wire.send("applyGraves", b'{"chunk":')) == 400
    assert status_of(lambda: wire.send_frame("applyGraves", b"no zstd")) == 400
    wire.ask("applyGraves", {"chunk": {"cards": [5], "notes": [], "decks": []}})
    shows(wire, "applyGraves (bad_json)", "applyGraves (bad_zstd)")
    # Those of a read-only call, too.
    assert status_of(lambda: wire.send("meta", b"[1]")) == 400
    shows(wire, "meta (bad_json)")


def foreign_database():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "db"
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE somebody (id integer)")
        db.close()
        return path.read_bytes()


def a_refused_upload_is_reported_with_the_text_that_the_client_shows():
    wire = new_account(quota=1)
    text = wire.upload(b"not a collection at all, but long enough to have a header" * 10)
    assert text != "OK", text
    shows(wire, "upload (file_refused)", "Nothing was replaced", text[:60])
    assert wire.upload(foreign_database()) != "OK"
    assert "full" in wire.upload(secrets.token_bytes(3 << 20))
    shows(wire, "upload (over_quota)", "user quota NAME")
    assert rows_of(wire) == 2, problems(wire)  # the two files that were refused are one report
    assert "2 times since" in problems(wire)


def a_refused_batch_of_media_names_the_file():
    media = Media(new_account(quota=1))
    wire = media.wire
    assert status_of(lambda: media.upload([("good", b"1"), ("a/b\u00e9.jpg", b"x")])) == 400
    shows(wire, "uploadChanges (bad_media_name)", "file: a/b\u00e9.jpg", "rename this file")
    assert status_of(lambda: media.upload([("empty.jpg", b"")])) == 400
    shows(wire, "uploadChanges (bad_media_file)", "file: empty.jpg", "why: empty")
    assert status_of(lambda: media.upload_zip(b"PK no zip")) == 400
    shows(wire, "uploadChanges (bad_zip)")
    try:
        media.upload([("large", secrets.token_bytes(2 << 20))])
        raise AssertionError("taken")
    except ServerMessage:
        pass
    shows(wire, "uploadChanges (over_quota)")
    assert rows_of(wire) == 4
    # A terminal shows the name and does nothing else.
    assert status_of(lambda: media.upload([("a/\x1b[2J\u202e", b"x")])) == 400
    until(lambda: "file: a/[2J" in problems(wire), 5)
    assert "\x1b" not in problems(wire) and "\u202e" not in problems(wire)


def old_clients_have_reports_too():
    wire = new_account()
    old = FormWire(HTTP, wire.key)
    assert status_of(lambda: old.ask("meta", {"v": 10, "cv": "x"})) == 200
    assert status_of(lambda: old.send("start", b"{")) == 400
    shows(wire, "start (bad_json)")


def a_client_that_repeats_it_leaves_one_report():
    wire = new_account()
    for _ in range(20):  # each one after a pause: an account whose requests are refused is slowed down
        assert status_of(lambda: wire.send("start", b"[]")) == 400
    until(lambda: "20 times since" in problems(wire), 5)
    assert rows_of(wire) == 1


def a_stranger_leaves_none():
    wire = new_account()
    before = rows_of(wire)
    for key in ("", "nonsense", wire.key[:-1] + "x"):
        stranger = Wire(HTTP, key)
        for method, body in (("start", b"{"), ("upload", b"no collection"), ("/msync/uploadChanges", b"no zip")):
            assert status_of(lambda: stranger.send(method, body)) == 403, (key, method)
    assert status_of(lambda: Wire(HTTP).send("hostKey", b"{")) == 400
    with Session(DATABASE) as session:
        assert session.number("SELECT count(*) FROM anki_problems WHERE user_id = 0") == 0
    assert rows_of(wire) == before == 0


def a_report_that_cannot_be_written_changes_no_answer():
    media = Media(new_account())
    wire = media.wire
    wire.ask("start", {"minUsn": 0, "lnewer": True, "graves": None})
    with Hold(DATABASE, everybody("anki_problems")):
        assert status_of(lambda: wire.ask("applyChunk", {"chunk": {"done": True, "notes": [NOTE]}})) == 400
        assert status_of(lambda: media.upload([("", b"x")])) == 400
        assert wire.upload(b"no collection") != "OK"
        assert status_of(lambda: wire.ask("meta", {"v": 11, "cv": "x"})) == 200
    # And its session has ended all the same.
    assert status_of(lambda: wire.ask("finish")) == 409


if __name__ == "__main__":
    sys.exit(keep(a_refused_message_tells_which_call_why_and_what_was_sent_before,
                  a_message_that_is_no_json_is_reported_and_its_session_goes_on,
                  a_refused_upload_is_reported_with_the_text_that_the_client_shows,
                  a_refused_batch_of_media_names_the_file, old_clients_have_reports_too,
                  a_client_that_repeats_it_leaves_one_report, a_stranger_leaves_none,
                  a_report_that_cannot_be_written_changes_no_answer))
