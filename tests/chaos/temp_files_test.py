"""Processes killed while they receive an upload leave no temporary file behind."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Wire
from killed_upload import kill_during_upload
from promises import keep, until
from stack import Stack

PASSWORD = "a good password"

stack: Stack


def the_temporary_folder_is_empty_after_kills_during_uploads():
    stack.add_user("alice", PASSWORD)
    device = Device(Wire(stack.http).log_in("alice", PASSWORD))
    device.sync()
    for _ in range(3):
        before = stack.pids("transfer")
        kill_during_upload(device.wire, str(stack.dir / "tmp"), before.values(),
                           lambda command: subprocess.run(command, check=True))
        until(lambda: len(now := stack.pids("transfer")) == len(before) and now != before)  # pylint: disable=cell-var-from-loop
        left = list((stack.dir / "tmp").iterdir())
        assert not left, left
    device.sync()


def main():
    global stack
    with Stack() as stack:
        return keep(the_temporary_folder_is_empty_after_kills_during_uploads)


if __name__ == "__main__":
    sys.exit(main())
