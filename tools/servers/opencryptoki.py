"""opencryptoki's software token from Debian's packages: a second, different PKCS#11 token for tests.

Its paths are compiled in (/etc/opencryptoki, /var/lib/opencryptoki, /run, its libraries, the daemon's own file), so
whatever uses it runs in namespaces of its own: overlays over /etc, /var and /usr that nobody else sees and that
vanish with it. Needs no root where users may make user namespaces (`hindrance` tells). Never writes to the system.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools import debs
from tools.errors import ToolError
from tools.paths import private_dir

PACKAGE = "opencryptoki"
MODULE = "/usr/lib/{machine}/opencryptoki/libopencryptoki.so.0"
LABEL = "tongguan-ock"
#: what every new token of this kind begins with; public knowledge, changed at once
_FIRST_SO_PIN = "87654321"

# $1 the unpacked package, $2 a folder for the token, $3 the library folder in /usr/lib, $4 SO PIN, $5 PIN, $6 label;
# the command follows. The token's files outlive the namespaces; the daemon does not.
_SCRIPT = """
set -e
root=$1 token=$2 machine=$3 so_pin=$4 pin=$5 label=$6
shift 6
work=$token/work
mkdir -p "$work" "$token/swtok/TOK_OBJ"
mount -t tmpfs none "$work"
for place in etc var usr; do
    mkdir -p "$work/$place" "$work/$place.work"
done
mount -t overlay -o "lowerdir=/etc,upperdir=$work/etc,workdir=$work/etc.work" overlay /etc
mount -t overlay -o "lowerdir=/var,upperdir=$work/var,workdir=$work/var.work" overlay /var
mount -t overlay -o "lowerdir=$root/usr:/usr,upperdir=$work/usr,workdir=$work/usr.work" overlay /usr
mount -t tmpfs none /run
mkdir -p /run/lock/opencryptoki/swtok /etc/opencryptoki /var/lib/opencryptoki/swtok /var/log/opencryptoki
mount --bind "$token/swtok" /var/lib/opencryptoki/swtok
printf 'version opencryptoki-3.1\\nslot 3\\n{\\nstdll = libpkcs11_sw.so\\n}\\n' > /etc/opencryptoki/opencryptoki.conf
grep -q ^pkcs11: /etc/group || echo 'pkcs11:x:0:root' >> /etc/group
libraries=/usr/lib/$machine/opencryptoki:/usr/lib/$machine/opencryptoki/stdll
export LD_LIBRARY_PATH=$libraries
/usr/sbin/pkcsslotd
until test -S /run/pkcsslotd.socket; do sleep 0.05; done
if ! test -e "$token/.complete"; then
    echo "$label" | /usr/sbin/pkcsconf -I -c 3 -S FIRST > /dev/null
    /usr/sbin/pkcsconf -P -c 3 -S FIRST -n "$so_pin" > /dev/null
    /usr/sbin/pkcsconf -u -c 3 -S "$so_pin" -n "$pin" > /dev/null
    touch "$token/.complete"
fi
"$@"
"""


def module() -> Path:
    """The unpacked library (inside it is found as `inside`). Raises ToolError where there is none."""
    found = next(debs.find(f"usr/lib/*/{PACKAGE}/libopencryptoki.so.0"), None)
    if found is None or debs.folder() not in found.parents:
        raise ToolError("opencryptoki is not unpacked; run `make setup-tests`")
    return found


def inside() -> str:
    """Where the library is for what runs inside."""
    return MODULE.format(machine=module().parents[1].name)


def hindrance() -> str:
    """Why this machine cannot run it, in words; empty if it can."""
    if shutil.which("unshare") is None:
        return "there is no unshare (util-linux)"
    try:
        module()
    except ToolError as error:
        return str(error)
    probe = 'mount -t tmpfs none "$1" && mkdir "$1/u" "$1/w" && mount -t overlay -o "lowerdir=/etc,upperdir=$1/u,workdir=$1/w" overlay /etc'
    place = private_dir(debs.folder() / ".overlay-probe")
    done = subprocess.run(
        [*_namespaces(), "sh", "-c", probe, "sh", str(place)], capture_output=True, text=True, check=False
    )
    return f"no overlays in user namespaces here: {done.stderr.strip()[:200]}" if done.returncode else ""


def command(token: Path, so_pin: str, pin: str, words: Sequence[str]) -> list[str]:
    """A command line that runs `words` where the token is at work; made and initialised at the first time.

    PINs have 4 to 8 digits. The folder is the token: whoever has it has its keys."""
    root = debs.folder() / PACKAGE
    machine = module().parents[1].name
    private_dir(token)
    script = _SCRIPT.replace("FIRST", _FIRST_SO_PIN)
    return [
        *(*_namespaces(), "sh", "-c", script, "sh"),
        *(str(root), str(token), machine, so_pin, pin, LABEL, *words),
    ]


def run(
    token: Path, so_pin: str, pin: str, words: Sequence[str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        command(token, so_pin, pin, words),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        env=os.environ,
    )


def _namespaces() -> list[str]:
    # the pid namespace ends the daemon with the command
    return [
        *("unshare", "--user", "--map-root-user", "--mount", "--ipc", "--pid", "--fork"),
        *("--kill-child", "--mount-proc"),
    ]
