"""The import rules bite: each rule is broken on purpose in a copy of the packages, and must be reported.

The copy holds what the rules are about: the packages' names and the few modules that a rule names.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools.paths import ROOT

RULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
PACKAGES = RULES["root_packages"]
# the modules that the layers of filing/ name
LAYERS = next(contract["layers"] for contract in RULES["contracts"] if contract["id"] == "filing-one-way")
MODULES = (
    "documents/spec.py",
    "runtime/db.py",
    *(f"filing/{name}.py" for layer in LAYERS for name in re.findall(r"\w+", layer)),
    "services/order/app.py",
    "services/list/app.py",
    "services/signer/app.py",
    "services/gateway/app.py",
    "simulator/judge.py",
    "tools/paths.py",
    "agent/desk.py",
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Empty packages with the project's own rules."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    for module in MODULES:
        path = tmp_path / module
        for folder in reversed(list(path.relative_to(tmp_path).parents)[:-1]):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / "__init__.py").touch()
        path.touch()
    return tmp_path


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", PACKAGES)
def test_the_rules_are_about_packages_that_exist(name: str) -> None:
    assert (ROOT / name / "__init__.py").exists()


def test_packages_without_a_violation_pass(copy: Path) -> None:
    found = lint(copy)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "0 broken" in found.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        *[
            ("documents/spec.py", f"import {name}")
            for name in ("runtime", "filing", "services", "simulator", "tools")
        ],
        *[
            ("documents/spec.py", f"import {name}")
            for name in ("sqlalchemy", "flask", "grpc", "kombu", "psycopg")
        ],
        *[("runtime/db.py", f"import {name}") for name in ("documents", "filing", "services", "simulator")],
        ("filing/store.py", "from services.order import app"),
        ("services/order/app.py", "from services.signer import app"),
        ("services/list/app.py", "from services.order import app"),
        ("services/signer/app.py", "from services.gateway import app"),
        ("services/gateway/app.py", "from services.order import app"),
        ("services/gateway/app.py", "import simulator"),
        ("services/order/app.py", "from tools import paths"),
        *[
            ("simulator/judge.py", f"import {name}")
            for name in ("documents", "runtime", "filing", "services", "proto.events.v1.events_pb2")
        ],
        *[
            ("agent/desk.py", f"import {name}")
            for name in (
                "documents",
                "runtime",
                "filing",
                "services",
                "simulator",
                "tools",
                "sqlalchemy",
                "flask",
            )
        ],
        ("services/signer/app.py", "from agent import desk"),
        ("filing/store.py", "from filing import usecases"),
        ("filing/ids.py", "from filing import rpc"),
        ("filing/usecases.py", "from filing import events"),
        ("filing/rpc.py", "from filing import events"),
        # hidden in a function is an import too
        ("services/order/app.py", "def later():\n    from services.signer import app"),
    ],
)
def test_a_planted_violation_is_caught(copy: Path, module: str, line: str) -> None:
    (copy / module).write_text(line + "\n")
    found = lint(copy)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "1 broken" in found.stdout or "2 broken" in found.stdout
    assert module.removesuffix(".py").replace("/", ".") in found.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("filing/rpc.py", "from filing import usecases"),
        ("filing/usecases.py", "from filing import store, ids"),
        ("filing/store.py", "import documents, runtime, sqlalchemy"),
        ("services/order/app.py", "import filing, runtime, documents, grpc"),
        ("simulator/judge.py", "import lxml, kombu"),
        ("agent/desk.py", "import proto.agent.v1.agent_pb2, grpc, pkcs11, cryptography"),
    ],
)
def test_what_is_allowed_passes(copy: Path, module: str, line: str) -> None:
    (copy / module).write_text(line + "\n")
    found = lint(copy)
    assert found.returncode == 0, found.stdout + found.stderr
