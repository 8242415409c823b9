"""What the operating system must bring along on Linux, and how to get it on Debian.

Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

# Shared library -> Debian package. Without these Qt does not even load.
QT: Mapping[str, str] = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libbrotlidec.so.1": "libbrotli1",
    "libX11.so.6": "libx11-6",
}

# A window under X11 needs these as well.
WINDOW: Mapping[str, str] = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}

# Program -> Debian package: a browser, a display, a keyring and a database server for the tests.
TEST_PROGRAMS: Mapping[str, str] = {
    "chromium": "chromium",
    "Xvfb": "xvfb",
    "xauth": "xauth",
    "dbus-launch": "dbus-x11",
    "gnome-keyring-daemon": "gnome-keyring",
    "initdb": "postgresql",
}

# What drives the browser brings a Node.js of its own, which needs this.
TEST_LIBRARIES: Mapping[str, str] = {"libatomic.so.1": "libatomic1"}


def missing_for_tests() -> list[str]:
    """Packages that the tests need beside those of the product."""
    return [*missing_programs(TEST_PROGRAMS), *missing_libraries(TEST_LIBRARIES)]


def missing_libraries(needed: Mapping[str, str]) -> list[str]:
    """Packages of the libraries that the dynamic linker does not know; none outside Linux."""
    # It lives in a folder that is not on a desktop user's path.
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    ldconfig = shutil.which("ldconfig", path=path)
    if not sys.platform.startswith("linux") or ldconfig is None:
        return []
    listed = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False).stdout
    known = {line.split(maxsplit=1)[0] for line in listed.splitlines() if "=>" in line}
    return [package for library, package in needed.items() if library not in known]


def missing_programs(needed: Mapping[str, str]) -> list[str]:
    """Packages of the programs that are not on the path; none outside Linux."""
    if not sys.platform.startswith("linux"):
        return []
    # Debian keeps the programs of each PostgreSQL version in a folder of their own.
    servers = [str(folder) for folder in Path("/usr/lib/postgresql").glob("*/bin")]
    path = os.pathsep.join([os.environ.get("PATH", ""), *servers])
    return [p for program, p in needed.items() if shutil.which(program, path=path) is None]


def apt_line(packages: Iterable[str]) -> str:
    """The line a person can paste to install `packages`."""
    return "sudo apt-get install --no-install-recommends " + " ".join(packages)


def install(packages: list[str]) -> bool:
    """Install `packages` if we may (root, or sudo without a password); tell whether it worked."""
    right = _right_to_install()
    if right is None:
        return False
    print(f"Installing system packages: {' '.join(packages)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A list that cannot be refreshed (no network) may still be good enough to install from.
    subprocess.run([*right, "apt-get", "-q", "update"], env=environment, check=False)
    done = subprocess.run(
        [*right, "apt-get", "-q", "-y", "install", "--no-install-recommends", *packages],
        env=environment,
        check=False,
    )
    return done.returncode == 0


def _right_to_install() -> list[str] | None:
    """What to put before apt-get: nothing for root, sudo where it asks no password, else None."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if asked.returncode == 0 else None
