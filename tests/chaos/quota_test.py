"""What a quota refuses leaves nothing behind: uploads, syncs that grow, and sessions that stage without end.

With --thousand a thousand sessions stage up to their bound, and the database is measured before and ten minutes after.

Runs alone: it measures what the database takes of the disk.
"""

import json
import pathlib
import random
import sqlite3
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Refused, Wire, compress  # noqa: E402
from database import Session  # noqa: E402
from promises import keep, until  # noqa: E402
from stack import Stack  # noqa: E402

PASSWORD = "a full quota 7"
THOUSAND = "--thousand" in sys.argv
SESSION_MIB = 4 if THOUSAND else 20
MIB = 1 << 20

stack: Stack


def person(name, quota=None):
    stack.add_user(name, PASSWORD)
    device = Device(Wire(stack.http + "/").log_in(name, PASSWORD))
    device.sync()
    if quota:
        set_quota(name, quota)
    return device


def value(question):
    """The only field of the only row, as text."""
    with Session(stack.env["DATABASE_URL"]) as session:
        return session.ask(question)[0][0]


def set_quota(name, size):
    value(f"UPDATE users SET quota_bytes = {size} WHERE name = '{name}' RETURNING user_id")


def meta(device):
    return device.wire.ask("meta", {"v": 11, "cv": "x"})


def refused_uploads_leave_nothing():
    device = person("uploads", 5 * MIB)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "big.anki2"
        path.write_bytes(device.wire.send("download", b"{}"))
        db = sqlite3.connect(path)
        notetype = next(iter(device.objects[0]))
        for n in range(24):
            text = random.Random(n).randbytes(1 << 19).hex()
            db.execute("INSERT INTO notes VALUES (?, ?, ?, 1600000000, 0, '', ?, '', 0, 0, '')",
                       (1_600_000_000_000 + n, f"big{n}", notetype, f"{text}\x1fback"))
        db.commit()
        db.close()
        data = path.read_bytes()
    before = value("SELECT count(*) || ' ' || (SELECT count(*) FROM blob_chunks) FROM blobs")
    for _ in range(6):
        answer = device.wire.upload(data)
        assert answer == "Your storage on this server is full.", answer
    assert value("SELECT count(*) || ' ' || (SELECT count(*) FROM blob_chunks) FROM blobs") == before
    assert value("SELECT count(*) FROM blob_reservations") == "0"


def a_sync_that_does_not_fit_is_refused_until_something_is_deleted():
    device = person("syncs", MIB)
    device.add_note("x" * 700_000)
    device.sync()
    assert meta(device)["msg"] == ""
    device.add_note("y" * 700_000)
    try:
        device.sync()
        raise AssertionError("it was stored")
    except Refused as refused:
        assert refused.status == 507, refused
    assert value("SELECT count(*) FROM anki_sessions") == "0"
    set_quota("syncs", 100_000)
    said = meta(device)
    assert "full" in said["msg"] and said["cont"], said
    # Another device of the account reads, and deletes.
    other = Device(Wire(stack.http + "/").log_in("syncs", PASSWORD))
    other.sync()
    assert len(other.rows["notes"]) == 1
    other.remove_note(next(iter(other.rows["notes"])))
    other.sync()
    set_quota("syncs", MIB)
    assert meta(device)["msg"] == ""


def stage_without_end(device):
    """Opens a session and stages until it is refused. Returns the MiB that were accepted, and the status."""
    wire = device.wire
    wire.new_session()
    meta(device)
    wire.ask("start", {"minUsn": device.usn, "lnewer": False, "graves": None})
    notetype = next(m["id"] for m in device.objects[0].values() if len(m["flds"]) == 2)
    notes = [[1, "g", notetype, 1, 0, "", "a" * MIB + "\x1fb", "", "", 0, ""]]
    frame = compress(json.dumps({"chunk": {"done": False, "notes": notes}}).encode())
    for accepted in range(10_000):
        try:
            wire.send_frame("applyChunk", frame)
        except Refused as refused:
            return accepted, refused.status
    raise AssertionError("no end")


def sessions_that_stage_without_end_are_stopped_and_their_room_is_given_back():
    devices = [person(f"stages-{n}") for n in range(4)]
    size = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname LIKE 'anki_staged_%' AND relkind = 'r'"
    before = int(value(size))
    made, most = [], 0
    for n in range(1000 if THOUSAND else 24):
        made.append(stage_without_end(devices[n % len(devices)]))
        most = max(most, int(value(size)))
    seen = set(made)
    # The last ones may have used up their hourly rate.
    assert (SESSION_MIB - 1, 413) in seen and {status for _, status in seen} <= {413, 429}, seen
    assert max(accepted for accepted, _ in seen) < SESSION_MIB
    assert value("SELECT count(*) FROM anki_sessions") == "0"
    last = time.monotonic()
    until(lambda: int(value(size)) < before + 8 * MIB, 600, "the room is given back", pause=1)
    return (f"staged rows on disk: at most {most // MIB} MiB, {before // 1024} KiB before, {int(value(size)) // 1024} KiB at the end, "
            f"given back {time.monotonic() - last:.0f} s after the last of {sum(n for n, _ in made)} MiB in {len(made)} sessions")


def main():
    global stack
    sys.argv = [word for word in sys.argv if word != "--thousand"]
    with Stack({"SYNCLINE_MAX_STAGED_MIB": str(SESSION_MIB), "SYNCLINE_MAX_MESSAGE_MIB": "3",
                "SYNCLINE_MAX_STAGED_HOURLY_MIB": "100000" if THOUSAND else "200"}) as stack:
        return keep(refused_uploads_leave_nothing, a_sync_that_does_not_fit_is_refused_until_something_is_deleted,
                    sessions_that_stage_without_end_are_stopped_and_their_room_is_given_back)


if __name__ == "__main__":
    sys.exit(main())
