"""A private disk that holds a whole installation is filled by uploads of eight accounts, while four others sync. Large
writes stop at the reserve, in words that clients show; syncs go on; PostgreSQL keeps running; and after the disk has
grown, everything that was refused goes through.

By default the disk is a small file system in memory. With --large it is ext4 on a loop device, of which 2 GB are free at
first, and the uploads are larger.

Runs alone: it measures who waits for whom.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Refused, Wire  # noqa: E402
from big_collection import big_collection  # noqa: E402
from promises import Skip, keep, until  # noqa: E402
from stack import Stack  # noqa: E402

PASSWORD = "a full disk 6"
UPLOADERS, SYNCERS = 8, 4
LARGE = "--large" in sys.argv
DISK_MIB, GROWN_MIB = (2048, 8192) if LARGE else (900, 4000)
RESERVE_MIB = 400 if LARGE else 300
UPLOAD_MIB = 60 if LARGE else 24
# How long the uploads go on after the first refusal.
INSIDE_S = 60 if LARGE else 8
NEARLY_FULL = "disk is nearly full"


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


class Disk:
    """Mounted on an empty folder."""

    def __init__(self, folder):
        self.folder, self.file, self.loop = folder, None, None
        # The part of the large disk that comes later. Linux grows a mounted ext4 only for processes with the capability
        # SYS_RESOURCE, which root in a container rarely has.
        self.later = folder / "later"
        if shutil.which("mount") is None or subprocess.run(["id", "-u"], stdout=subprocess.PIPE, text=True,
                                                           check=True).stdout.strip() != "0":
            raise Skip("a private disk can be mounted by root only")
        try:
            if LARGE:
                self.file = tempfile.mktemp(prefix="syncline-disk.", dir="/tmp")
                run("truncate", "-s", f"{GROWN_MIB}M", self.file)
                self.loop = run("losetup", "--find", "--show", self.file).strip()
                run("mkfs.ext4", "-q", "-m", "0", self.loop)
                run("mount", self.loop, str(folder))
                run("fallocate", "-l", f"{GROWN_MIB - DISK_MIB}M", str(self.later))
            else:
                run("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder))
        except (OSError, subprocess.CalledProcessError) as why:
            self.remove()
            raise Skip(f"no private disk: {why}") from why

    def grow(self):
        if LARGE:
            self.later.unlink()
        else:
            run("mount", "-o", f"remount,size={GROWN_MIB}m", str(self.folder))

    def free_mib(self):
        return shutil.disk_usage(self.folder).free >> 20

    def remove(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=False, stderr=subprocess.DEVNULL)
        if self.loop:
            subprocess.run(["losetup", "-d", self.loop], check=False)
        if self.file:
            pathlib.Path(self.file).unlink(missing_ok=True)


class Uploader:
    def __init__(self, stack, name, seed):
        stack.add_user(name, PASSWORD)
        self.wire = Wire(stack.http + "/").log_in(name, PASSWORD)
        self.device = Device(self.wire)
        self.device.sync()
        self.notetype = next(m["id"] for m in self.device.objects[0].values() if len(m["flds"]) == 2)
        self.seed = seed
        self.answers = []

    def upload(self, folder):
        self.seed += 1000
        try:
            path = pathlib.Path(folder) / f"{self.seed}.anki2"
            answer = self.wire.upload(big_collection(self.wire, self.notetype, UPLOAD_MIB, path, self.seed))
        except Refused as refused:
            answer = str(refused)
        self.answers.append(answer)
        return answer


def uploads_stop_at_the_reserve_and_syncs_go_on():
    # ./run sets the log's size by the size of the disk: here by the part that is there at first.
    wal = f"max_wal_size = {max(DISK_MIB // 8, 128)}MB\nmin_wal_size = {max(DISK_MIB // 16, 64)}MB"
    stack = Stack({"SYNCLINE_DISK_RESERVE_MIB": str(RESERVE_MIB),
                   "SYNCLINE_TEST_POSTGRES": f"{os.environ.get('SYNCLINE_TEST_POSTGRES', '')}\n{wal}"})
    folder = stack.dir
    stack.dir = folder / "stack"
    disk = Disk(folder)
    try:
        with stack, tempfile.TemporaryDirectory(prefix="syncline-test.") as files:
            return fill(stack, disk, files)
    finally:
        disk.remove()
        shutil.rmtree(folder, ignore_errors=True)


def fill(stack, disk, folder):
    postgres = stack.pids("postgres")
    uploaders = [Uploader(stack, f"upload-{n}", n) for n in range(UPLOADERS)]
    syncers = []
    for n in range(SYNCERS):
        stack.add_user(f"sync-{n}", PASSWORD)
        syncers.append(Device(Wire(stack.http + "/").log_in(f"sync-{n}", PASSWORD)))
        syncers[-1].sync()
    stop = threading.Event()
    took, failed, least = [], [], [disk.free_mib()]

    def sync(device):
        while not stop.is_set():
            device.add_note("small", reviews=3)
            begin = time.monotonic()
            try:
                device.sync()
                took.append(time.monotonic() - begin)
            except (Refused, OSError) as why:
                failed.append(str(why))
            least.append(disk.free_mib())
            time.sleep(0.05)

    full_since = []

    def fill_up(uploader):
        while not full_since or time.monotonic() < full_since[0] + INSIDE_S:
            if uploader.upload(folder) != "OK" and not full_since:
                full_since.append(time.monotonic())

    with concurrent.futures.ThreadPoolExecutor(UPLOADERS + SYNCERS) as pool:
        syncing = [pool.submit(sync, device) for device in syncers]
        for done in [pool.submit(fill_up, uploader) for uploader in uploaders]:
            done.result()
        # Logins, reads and deletions go on in the reserve, too.
        Wire(stack.http + "/").log_in("upload-0", PASSWORD)
        stack.admin("user", "list")
        doctor = subprocess.run([stack.env["SYNCLINE_ADMIN"], "doctor"], stdout=subprocess.PIPE, text=True, check=False).stdout
        stop.set()
        for done in syncing:
            done.result()

    answers = [answer for uploader in uploaders for answer in uploader.answers]
    strange = {answer for answer in answers if answer != "OK" and NEARLY_FULL not in answer}
    refused = sum(NEARLY_FULL in answer for answer in answers)
    assert refused >= UPLOADERS and not strange, (refused, strange)
    assert not failed, f"{len(failed)} of {len(took)} syncs failed: {failed[:3]}"

    def logs_of_postgres_that_ran_on():
        assert stack.pids("postgres") == postgres, "PostgreSQL was started again"
        logs = "".join(path.read_text(errors="replace") for path in (stack.dir / "log").glob("*"))
        assert "PANIC" not in logs
        return logs

    logs = logs_of_postgres_that_ran_on()
    told = re.findall(r"event=disk_nearly_full .*largest=\S+.*", logs)
    assert told, "the log does not name the disk"
    if disk.free_mib() < RESERVE_MIB:
        assert re.search(r"PROBLEM\s+disk .*reserve.*largest tables: \w+", doctor), doctor

    disk.grow()
    for uploader in uploaders:
        answer = uploader.upload(folder)
        assert answer == "OK", answer

    def waiting():
        return re.findall(r"anki\.(?:import|archive)\b.*\b(?:waiting|queued|running)\b|\b(?:waiting|queued|running)\b.*anki\.(?:import|archive)",
                          stack.admin("jobs", "list"))
    until(lambda: not waiting(), 300 if LARGE else 90, "the imports are done", pause=0.5)
    for uploader in uploaders:
        notes = sqlite_notes(uploader.wire.send("download", b"{}"), folder)
        assert notes == UPLOAD_MIB, notes
    for device in syncers:
        device.sync()
    logs_of_postgres_that_ran_on()
    took.sort()
    return (f"{answers.count('OK')} uploads, {refused} refused, then {UPLOADERS} accepted; {len(took)} syncs, p99 "
            f"{took[len(took) * 99 // 100] * 1000:.0f} ms; at least {min(least)} MiB free of a reserve of {RESERVE_MIB}")


def sqlite_notes(data, folder):
    path = pathlib.Path(folder) / "down.anki2"
    path.write_bytes(data)
    db = sqlite3.connect(path)
    count = db.execute("SELECT count(*) FROM notes").fetchone()[0]
    db.close()
    path.unlink()
    return count


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--large"]
    sys.exit(keep(uploads_stop_at_the_reserve_and_syncs_go_on))
