"""Makes the demo's tenants, users and keys, by the services' own commands, before the processes start.

Never writes into a service's database itself, and every step may be repeated.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tools.errors import ToolError
from tools.launch import Launch, task
from tools.paths import ROOT
from tools.stamps import fingerprint

# which keys the filing enterprises have: (label, algorithm, is it the one that signs)
KEYS = (
    ("A", "rsa-sha1", True),
    ("A", "sm2-sm3", False),
    ("B", "rsa-sha1", True),
    ("L", "rsa-sha1", True),
    ("O", "rsa-sha1", True),
)
# with servers of somebody else's, nobody knows whether what was made is still there
OUTSIDE = {"TONGGUAN_POSTGRES_URL", "TONGGUAN_DEVICES_FILE"}
# whose environment each step runs in
GATEWAY, SIGNER, POOL, SIMULATOR = "gateway.http", "signer.consume", "signer.pool", "simulator"


def seed(
    run_to_end: Callable[[Iterable[Launch]], None],
    environments: Mapping[str, Mapping[str, str]],
    run_dir: Path,
) -> dict[str, Any]:
    """Make everything the demo needs; answers {"users": […], "strategies": […]} as stack.json has them.

    All of it may be repeated, and is when the code that makes it changed; else a restart need not wait for it.
    Raises ToolError when a step fails or answers something else than agreed."""
    stamp = run_dir / "data" / "demo-made"
    wanted = _fingerprint(environments[GATEWAY])
    output = run_dir / "secrets" / "demo.json"
    if not (stamp.exists() and stamp.read_text() == wanted and output.exists()):
        stamp.unlink(missing_ok=True)
        _make(run_to_end, environments, run_dir, output)
        if not OUTSIDE & os.environ.keys():
            stamp.write_text(wanted)
    made = _read(output)
    return {"users": made["users"], "strategies": made["strategies"]}


def _fingerprint(gateway: Mapping[str, str]) -> str:
    code = [path for name in ("services", "simulator", "tools") for path in (ROOT / name).rglob("*.py")]
    return fingerprint(
        (path for path in code if "node_modules" not in path.parts), gateway.get("DATABASE_URL", "")
    )


def _make(
    run_to_end: Callable[[Iterable[Launch]], None],
    environments: Mapping[str, Mapping[str, str]],
    run_dir: Path,
    output: Path,
) -> None:
    authority = run_dir / "authority"
    credentials = run_dir / "secrets" / "demo-users.json"
    python = sys.executable
    issue = ("-m", "simulator", "authority", "--dir", str(authority))
    seeding = ("-m", "services.gateway", "seed-demo", "--credentials", str(credentials))
    run_to_end(
        [
            task("demo.authority", (python, *issue), environments[SIMULATOR]),
            task("demo.tenants", (python, *seeding), environments[GATEWAY], output=output),
        ]
    )
    made = _read(output)
    filing = {tenant["label"]: tenant for tenant in made["tenants"] if tenant.get("dxp_id")}
    steps: list[Launch] = []
    # an operator's command has what no process that stays has: the tokens' PINs and the database
    provisioning = {**environments[POOL], **environments[SIGNER]}
    for label, algorithm, active in KEYS:
        tenant = filing[label]
        command = (
            *("-m", "services.signer", "provision"),
            *("--tenant", tenant["id"]),
            *("--enterprise-code", tenant["enterprise_code"]),
            *("--name", tenant["enterprise_name"]),
            *("--algorithm", algorithm),
            *("--authority-command", shlex.join((python, *issue))),
            *(("--active",) if active else ()),
        )
        # one after the other: the authority numbers its certificates
        after = (steps[-1].name,) if steps else ()
        name = f"demo.key{len(steps) + 1}"
        steps.append(task(name, (python, *command), provisioning, after))
    run_to_end(steps)


def _read(path: Path) -> dict[str, Any]:
    try:
        made: dict[str, Any] = json.loads(path.read_text())
        filing = {tenant["label"] for tenant in made["tenants"] if tenant.get("dxp_id")}
        lacking = {label for label, _, _ in KEYS} - filing
        if lacking:
            raise ToolError(f"demo.tenants: no tenant {', '.join(sorted(lacking))} with a dxp_id in {path}")
        for user in made["users"]:
            if not {"username", "password", "tenant", "role"} <= user.keys():
                raise ToolError(f"demo.tenants: a user in {path} lacks username, password, tenant or role")
        made["strategies"]
    except (ValueError, KeyError) as error:
        raise ToolError(f"demo.tenants: its answer in {path} is not what was agreed: {error!r}") from error
    return made


def announce(content: Mapping[str, Any], file: Path, *, accounts: bool) -> None:
    """Tell the person at the terminal where to go and, with `accounts`, as whom."""
    lines = ["", f"  通关 Tongguan  {content.get('url', '')}"]
    if "simulator_url" in content:
        lines.append(f"  模拟海关 customs simulator  {content['simulator_url']}")
    lines += [f"  {name}: {version}" for name, version in sorted(content["parts"].items())]
    if accounts and content["users"]:
        lines += ["", "  演示账号 demo accounts (only on this machine):"]
        widest = max(len(user["username"]) for user in content["users"])
        lines += [
            f"    {user['username']:<{widest}}  {user['password']}  {user['role']}, {user['tenant']}"
            for user in content["users"]
        ]
    lines += ["", f"  {file}", "  Ctrl-C 停止 / stops", ""]
    print("\n".join(lines), flush=True)
