"""Redis is killed, or accepts connections and does not answer: all work of the Anki service goes on anyway.

Real clients, if the package `anki` is there, sync normally and in full, sync media, import and export packages; an account is
restored, handed over and adopted.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_forms import FormWire
from anki_wire import Device, Wire
from promises import Skip, keep, until
from rest_wire import script_login
from stack import Stack

try:
    import anki_device
except ImportError as e:
    anki_device, problem = None, str(e)

PASSWORD = "a good password"

stack: Stack


def all_parts_of_a_sync_work(name):
    stack.add_user(name, PASSWORD)
    a = Device(Wire(stack.http).log_in(name, PASSWORD))
    a.sync()
    note = a.add_note("of A", reviews=1)
    a.sync()
    b = Device(Wire(stack.http, a.wire.key))
    b.sync()
    assert a.content() == b.content()
    b.edit_note(note, "edited by B")
    b.sync()
    a.sync()
    assert a.content() == b.content()
    a.wire.send("download", b"{}")


@contextlib.contextmanager
def silent_redis():
    pid = stack.pids("redis")[1]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
    stack.wait_until_ready()


def syncs_work_without_redis():
    with stack.without("redis"):
        all_parts_of_a_sync_work("without")
    all_parts_of_a_sync_work("again")


def syncs_work_while_redis_does_not_answer():
    with silent_redis():
        all_parts_of_a_sync_work("silent")


def ask(name, path, body=None):
    request = urllib.request.Request(stack.http + path, data=body, headers={"Authorization": script_login(name, PASSWORD, stack.http),
                                                                           "Content-Type": "application/octet-stream"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def sync_media(device):
    device.col.sync_media(device.auth)
    until(lambda: not device.col.media_sync_status().active, 60)


def add_users(name):
    for account in (name, name + "-other"):
        stack.add_user(account, PASSWORD)
        script_login(account, PASSWORD, stack.http)


def everything_works_with_real_clients(name, folder):
    one = anki_device.Device(folder, name + "-one", stack.http + "/")
    key = one.log_in(name, PASSWORD)
    one.add_note("first <img src='a.png'>")
    pathlib.Path(one.col.media.dir(), "a.png").write_bytes(b"a picture")
    one.sync()
    one.upload()
    sync_media(one)
    two = anki_device.Device(folder, name + "-two", stack.http + "/", key)
    assert two.sync() in anki_device.FULL
    two.download()
    sync_media(two)
    assert pathlib.Path(two.col.media.dir(), "a.png").read_bytes() == b"a picture"
    two.add_note("second")
    two.sync_normally()
    old = Device(FormWire(stack.http).log_in(name, PASSWORD))
    old.sync()
    old.add_note("of an old client")
    old.sync()
    package = ask(name, "/api/sync/export/?deck=Default")
    other = anki_device.Device(folder, name + "-other", stack.http + "/")
    other.log_in(name + "-other", PASSWORD)
    other.add_note("of another account")
    other.sync()
    other.upload()
    location = "/api/sync/import/" + json.loads(ask(name + "-other", "/api/sync/import/", package))["id"]
    state = until(lambda: found if (found := json.loads(ask(name + "-other", location)))["state"] in ("done", "failed") else None,
                  60, pause=0.1)
    assert state["state"] == "done" and state["report"]["notes"]["added"] == 3, state
    other.sync_normally()
    sync_media(other)
    assert len(other.notes()) == 4 and pathlib.Path(other.col.media.dir(), "a.png").exists()
    assert ask(name, "/api/sync/export/")[:2] == b"PK"
    one.sync_normally()
    stack.admin("anki", "hand-over", str(folder / name), "--account", name)
    (folder / name / name).rename(folder / name / (name + "-moved"))
    said = stack.admin("anki", "adopt", str(folder / name))
    assert f"{name}-moved: adopted:" in said, said
    oldest = re.findall(r"^(\d+\.\d+) ", stack.admin("anki", "history", name), re.M)[-1]
    stack.admin("anki", "restore", name, "--before", oldest)
    assert one.sync() in anki_device.FULL
    one.download()
    assert len(one.notes()) == 1, one.notes()
    for device in (one, two, other):
        device.close()


def all_work_of_the_service_goes_on_without_redis():
    if anki_device is None:
        raise Skip(f"the real client is not available: {problem}")
    with tempfile.TemporaryDirectory() as folder:
        add_users("all-without")
        add_users("all-silent")
        with stack.without("redis"):
            everything_works_with_real_clients("all-without", pathlib.Path(folder))
        with silent_redis():
            everything_works_with_real_clients("all-silent", pathlib.Path(folder))


def main():
    global stack
    with Stack() as stack:
        return keep(syncs_work_without_redis, syncs_work_while_redis_does_not_answer,
                    all_work_of_the_service_goes_on_without_redis)


if __name__ == "__main__":
    sys.exit(main())
