"""The package on a Debian machine with systemd: installed by the lines of README.md, restarted, upgraded, killed, rebooted.

The package is the one that `cpack -G DEB` has left in SYNCLINE_BIN or build/; ./check makes it. Skipped, with the reason,
where no machine can be made or booted (tests/live/machine.py).
"""

import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Refused, Wire
from killed_upload import kill_during_upload
from machine import ROOT, Machine, base
from promises import Skip, keep, until
from syncing import Syncing, sync_in_the_end

PASSWORD = "a good password"
PEOPLE = 16
HOST = "https://127.0.0.1"
EXPOSURE = 1.5
POOLS = ["syncline-api@1", "syncline-api@2", "syncline-edge@1", "syncline-transfer@1", "syncline-transfer@2",
         "syncline-large@1", "syncline-realtime@1"]
UNITS = [name + ".service" for name in (*POOLS, "syncline-worker@1")]

package: pathlib.Path
machine: Machine
devices: list


def lines_of_readme():
    """The commands under "In production", from the installation on, with names and paths filled in."""
    section = (ROOT / "README.md").read_text().partition("## In production\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^    (.+)$", section, re.M)
    text = "\n".join(lines)
    text = text[text.index("sudo apt install"):]
    return text.replace("/path/to/", "/root/").replace("user add NAME", "user add alice --password-file -").split("\n")


def main_pid(unit):
    return int(machine.do("systemctl", "show", "--property=MainPID", "--value", unit))


def states():
    return dict(zip(UNITS, machine.do("systemctl", "is-active", *UNITS, check=False).split()))


def all_active():
    return set(states().values()) == {"active"}


def add_user(name):
    machine.do("sudo", "-u", "syncline", "syncline-admin", "user", "add", name, "--password-file", "-", stdin=PASSWORD)
    return log_in(name)


def log_in(name):
    device = Device(Wire(HOST).log_in(name, PASSWORD))
    device.sync()
    return device


def imports():
    """State of each import job, oldest first."""
    return machine.do("sudo", "-u", "syncline", "psql", "-XAtc",
                      "SELECT state FROM jobs WHERE kind = 'anki.import' ORDER BY job_id", "syncline").split()


def upload_and_wait_for_the_worker(wire):
    before = len(imports())
    device = Device(wire.again())
    device.sync()
    device.add_note("to be imported", reviews=1)
    device.sync()
    answer = device.wire.upload(device.wire.send("download", b"{}"))
    assert answer == "OK", answer
    until(lambda: len(imports()) > before and set(imports()) == {"done"}, 30, "the import is done", 0.5)


def the_package_can_be_installed_in_an_image():
    image = Machine(base(package), "image")
    try:
        assert not os.listdir(image.root / "proc")
        (image.root / "root" / package.name).write_bytes(package.read_bytes())
        image.chroot("apt", "install", f"/root/{package.name}")
        assert image.chroot("dpkg-query", "--show", "--showformat=${db:Status-Status}", "syncline") == "installed"
        assert image.chroot("stat", "--format=%U:%G %a", "/etc/syncline/secret") == "root:syncline 640\n"
        image.chroot("apt", "remove", "syncline")
    finally:
        image.remove()


def the_lines_of_the_readme_make_a_server():
    machine.do("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
               "/CN=sync.example.org", "-keyout", "/root/privkey.pem", "-out", "/root/fullchain.pem")
    (machine.root / "root/build").mkdir()
    (machine.root / "root/build" / package.name).write_bytes(package.read_bytes())
    for line in lines_of_readme():
        machine.do("sh", "-c", line, stdin=PASSWORD)
    until(all_active, what=states)
    machine.enter_network()
    devices.append(log_in("alice"))
    upload_and_wait_for_the_worker(devices[0].wire)


def every_unit_has_little_exposure():
    seen = []
    for unit in [*UNITS, "syncline-migrate.service"]:
        last = machine.do("systemd-analyze", "security", "--no-pager", unit).strip().rpartition("\n")[2]
        level = float(re.search(r": ([0-9.]+) ", last)[1])
        assert level <= EXPOSURE, last
        seen.append(level)
    return f"{min(seen)} to {max(seen)}"


def restarts_and_an_upgrade_fail_no_sync():
    devices.extend(add_user(f"person{n}") for n in range(PEOPLE))
    pids = {unit: main_pid(unit) for unit in UNITS}
    with Syncing(devices[1:]) as people:
        for unit in UNITS:
            machine.do("systemctl", "restart", unit)
        restarted = {unit: main_pid(unit) for unit in UNITS}
        upgrade = machine.do("apt", "install", "--reinstall", f"./build/{package.name}")
    upgraded = {unit: main_pid(unit) for unit in UNITS}
    for unit in UNITS:
        assert len({pids[unit], restarted[unit], upgraded[unit], 0}) == 4, (unit, upgrade)
    return f"{sum(people.syncs)} syncs"


def processes_killed_twenty_times_in_ten_seconds_are_started_again():
    kill = """killed=0
while [ $killed -lt $2 ]; do
  pid=$(systemctl show --property=MainPID --value $1)
  if [ "$pid" != 0 ] && [ "$pid" != "$last" ]; then kill -KILL $pid && killed=$((killed + 1)); last=$pid; fi
  sleep 0.1
done"""
    began = time.monotonic()
    machine.do("timeout", "120", "sh", "-c", kill, "kill", "syncline-api@1.service", "20")
    took = time.monotonic() - began
    devices[1].sync()
    until(all_active, what=states)
    machine.do("timeout", "120", "sh", "-c", kill, "kill", "syncline-worker@1.service", "6")
    until(all_active, what=states)
    upload_and_wait_for_the_worker(devices[0].wire)
    return f"20 kills of api@1 in {took:.0f} s"


def kills_during_uploads_leave_nothing_in_the_cache():
    for _ in range(3):
        pids = [main_pid(unit) for unit in UNITS if "transfer" in unit]
        kill_during_upload(devices[0].wire.again(), "/var/cache/syncline", pids, lambda command: machine.do(*command))
        until(all_active, what=states)
        assert machine.do("ls", "-A", "/var/cache/syncline") == ""
    devices[1].sync()


def after_a_boot_without_postgresql_everything_comes_up_by_itself():
    machine.do("systemctl", "disable", "--now", "postgresql")
    machine.power_off()
    machine.boot()
    booted = time.monotonic()
    machine.enter_network()
    # Nobody has asked for anything yet.
    until(all_active, 10, states)
    for unit in UNITS:
        status = machine.do("systemctl", "show", "--property=StatusText", "--value", unit)
        assert status.startswith("waiting: "), (unit, status)
    assert machine.do("systemctl", "--failed", "--no-legend").strip() == ""
    device = devices[1]
    device.wire = device.wire.again()
    try:
        device.sync()
        raise AssertionError("a sync without a database")
    except Refused as refused:
        assert refused.status == 503, refused
    # Processes that crash meanwhile are started again.
    pids = {unit: main_pid(unit) for unit in UNITS}
    machine.do("kill", "-KILL", *map(str, pids.values()))
    until(lambda: all_active() and not set(pids.values()) & {main_pid(unit) for unit in UNITS}, 10, states)
    time.sleep(max(0, booted + 30 - time.monotonic()))
    machine.do("systemctl", "start", "postgresql")
    started = time.monotonic()
    sync_in_the_end(device, 20, pause=0.2)
    took = time.monotonic() - started
    upload_and_wait_for_the_worker(devices[0].wire)
    assert machine.do("systemctl", "--failed", "--no-legend").strip() == ""
    return f"a sync {took:.1f} s after PostgreSQL"


def main():
    global package, machine, devices
    promises = (the_package_can_be_installed_in_an_image,
                the_lines_of_the_readme_make_a_server,
                every_unit_has_little_exposure,
                restarts_and_an_upgrade_fail_no_sync,
                processes_killed_twenty_times_in_ten_seconds_are_started_again,
                kills_during_uploads_leave_nothing_in_the_cache,
                after_a_boot_without_postgresql_everything_comes_up_by_itself)
    build = pathlib.Path(os.environ.get("SYNCLINE_BIN", ROOT / "build"))
    package, = build.glob("syncline_*.deb")
    devices = []
    machine = None
    try:
        machine = Machine(base(package), "machine")
        machine.boot()
        return keep(*promises)
    except Skip as why:
        for promise in promises:
            print(f"skipped {promise.__name__}: {why}")
        print(f"0 passed, 0 failed, {len(promises)} skipped")
        return 0
    finally:
        if machine is not None:
            machine.remove()


if __name__ == "__main__":
    sys.exit(main())
