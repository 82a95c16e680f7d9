"""A Debian machine with systemd, in a container: made once by debootstrap, copied for each test, booted, rebooted.

    machine = Machine(base(package))        # a copy that is not running; base() raises Skip where it cannot be made
    machine.chroot("dpkg", "-l")            # as in an image that is being built: no /proc, no systemd
    machine.boot()
    machine.do("systemctl", "start", "syncline.target")
    machine.enter_network()                 # this thread and what it starts see the machine's loopback

The release is that of this machine, because the package is built for it; the mirror and the proxy are those that apt uses
here. The machine has no network but its own loopback. Left out on purpose: virtual machines, registering with
systemd-machined, which most containers do not run.
"""

import ctypes
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from promises import Skip, until

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / "build" / "live"
_CLONE_NEWNET = 0x40000000
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENV = ["env", "-i", _PATH, "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
_INCLUDE = "systemd,systemd-sysv,dbus,sudo,procps,ca-certificates"


def _text(*command):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def _release_and_mirror():
    release = re.search(r"^VERSION_CODENAME=(\w+)$", pathlib.Path("/etc/os-release").read_text(), re.M)
    if not release:
        raise Skip("this is not a release of Debian")
    targets = _text("apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages")
    for line in targets.splitlines():
        codename, component, uri = line.split(" ", 2)
        if (codename, component) == (release[1], "main"):
            return release[1], uri
    raise Skip(f"apt has no source for {release[1]} main")


def _dependencies(package):
    fields = _text("dpkg-deb", "--field", str(package), "Depends") + "," + _text(
        "dpkg-deb", "--field", str(package), "Recommends")
    return sorted(re.findall(r"(?:^|,)\s*([a-z0-9.+-]+)", fields))


def base(package):
    """A directory with Debian and everything that the package depends on or recommends, but not the package."""
    if os.geteuid() != 0:
        raise Skip("booting a machine needs root")
    for program in ("debootstrap", "systemd-nspawn"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
            raise Skip(f"there is no {program}")
    release, mirror = _release_and_mirror()
    wanted = _dependencies(package)
    key = hashlib.sha256(repr((release, _INCLUDE, wanted)).encode()).hexdigest()
    directory = CACHE / "base"
    if (CACHE / "key").exists() and (CACHE / "key").read_text() == key:
        return directory
    (CACHE / "key").unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    proxy = _text("apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy").strip()
    env = {**os.environ, **({"http_proxy": proxy} if proxy else {})}
    with (CACHE / "debootstrap.log").open("w") as log:
        made = subprocess.run(["debootstrap", "--variant=minbase", f"--include={_INCLUDE}", release, str(directory), mirror],
                              env=env, stdout=log, stderr=subprocess.STDOUT, check=False).returncode == 0
        if made:
            apt = directory / "etc/apt/apt.conf.d"
            (apt / "90here").write_text(_text("apt-config", "dump", "Acquire::http", "Acquire::https"))
            (apt / "91yes").write_text('APT::Get::Assume-Yes "yes";\n')
            made = subprocess.run(["chroot", directory, *_ENV, "sh", "-c", 'apt-get -q install "$@" && apt-get clean', "install",
                                   *wanted], stdout=log, stderr=subprocess.STDOUT, check=False).returncode == 0
    if not made:
        raise Skip("debootstrap failed: " + (CACHE / "debootstrap.log").read_text().strip().rpartition("\n")[2])
    (CACHE / "key").write_text(key)
    return directory


class Machine:
    def __init__(self, base_directory, name):
        self.root = CACHE / name
        self._nspawn = self.leader = None
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", base_directory, self.root], check=True)

    def chroot(self, *command):
        return self._run(["chroot", self.root, *_ENV, *command])

    def boot(self):
        """Returns when all units have been started. Raises Skip if the machine does not come up."""
        # Ends with this process, and then stops the machine.
        command = ["setpriv", "--pdeathsig", "TERM", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot",
                   "--hostname=localhost", "--link-journal=no", "--private-network", "--directory", str(self.root)]
        log = CACHE / f"{self.root.name}.log"
        with log.open("ab") as console:
            self._nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        children = pathlib.Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")

        def is_up():
            if self._nspawn.poll() is not None:
                return True
            self.leader = int((children.read_text().split() or ["0"])[0])
            if not self.leader:
                return False
            done = self.do("systemctl", "is-system-running", check=False)
            return done.strip() in ("running", "degraded")
        try:
            until(is_up, 90, pause=0.2)
        except AssertionError:
            self.power_off()
        if self._nspawn is None or self._nspawn.poll() is not None:
            raise Skip("systemd-nspawn cannot boot here: " + log.read_text(errors="replace").strip().rpartition("\n")[2])

    def power_off(self):
        if self._nspawn is None:
            return
        if self._nspawn.poll() is None:
            self._nspawn.send_signal(signal.SIGTERM)
        try:
            self._nspawn.wait(60)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._nspawn = self.leader = None

    def remove(self):
        self.power_off()
        shutil.rmtree(self.root, ignore_errors=True)

    def do(self, *command, stdin="", check=True):
        """Runs a command in the running machine and returns what it printed."""
        return self._run(["nsenter", "--target", str(self.leader), "--all", "--wdns=/root", "--", *_ENV, *command], stdin, check)

    def enter_network(self):
        with open(f"/proc/{self.leader}/ns/net", "rb") as namespace:
            if ctypes.CDLL(None).setns(namespace.fileno(), _CLONE_NEWNET) != 0:
                raise RuntimeError("the network of the machine cannot be entered")

    @staticmethod
    def _run(command, stdin="", check=True):
        done = subprocess.run(command, input=stdin, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout
