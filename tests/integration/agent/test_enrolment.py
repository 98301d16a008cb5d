"""From the downloaded file to a certificate of the agent's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.agent_service import Authority, Service
from tests.support.agents import Agent, soon


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path / "agent")


def test_the_file_makes_an_identity(agent: Agent, service: Service) -> None:
    done = agent.enrol(service.invite())
    assert done.returncode == 0, done.stderr.decode()
    assert "测试企业" in done.stdout.decode()
    identity = agent.state / "identity.json"
    assert identity.stat().st_mode & 0o777 == 0o600
    assert agent.state.stat().st_mode & 0o777 == 0o700
    kept = json.loads(identity.read_text())
    assert kept["key"].startswith("-----BEGIN PRIVATE KEY")
    # one key, in one place
    assert [path.name for path in agent.state.rglob("*") if b"PRIVATE KEY" in path.read_bytes()] == [
        "identity.json"
    ]
    agent.start()
    soon(lambda: service.attending, "it attends")
    key = "".join(kept["key"].splitlines()[1:-1])
    assert [frame for frame in service.frames if key[:32].encode() in frame] == []
    # a running agent is not given another identity behind its back
    assert "已在运行" in agent.enrol(service.invite()).stderr.decode()
    assert json.loads(identity.read_text()) == kept
    assert agent.stop() == 0


def test_it_works_without_a_file_and_a_code_with_blanks(
    agent: Agent, service: Service, tmp_path: Path
) -> None:
    invitation = service.invite()
    authority = tmp_path / "authority.pem"
    authority.write_text(invitation["authority"])
    done = agent.command(
        "enrol", "--address", invitation["address"], "--enrol-address", invitation["enrol_address"],
        "--authority", str(authority), "--code", invitation["code"].replace("-", " "),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()


def test_a_code_works_once(agent: Agent, service: Service, tmp_path: Path) -> None:
    invitation = service.invite()
    assert agent.enrol(invitation).returncode == 0
    other = Agent(tmp_path / "other")
    done = other.enrol(invitation)
    assert done.returncode == 1
    # the service's own words
    assert "登记码无效或已使用。" in done.stderr.decode()
    assert "The code is invalid or used." in done.stderr.decode()
    assert not (other.state / "identity.json").exists()


def test_an_answer_that_got_lost_can_be_had_again(agent: Agent, service: Service) -> None:
    invitation = service.invite()
    service.mute = True
    done = agent.enrol(invitation)
    assert done.returncode == 1
    assert "无法连接" in done.stderr.decode()
    service.mute = False
    done = agent.enrol(invitation)
    assert done.returncode == 0, done.stderr.decode()


def test_only_the_authority_of_the_file_is_trusted(agent: Agent, service: Service) -> None:
    done = agent.enrol(service.invite(authority=Authority("somebody else").pem))
    assert done.returncode == 1
    assert "不是登记文件所说的机构签发的" in done.stderr.decode()
    assert not (agent.state / "identity.json").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expires_at": "2020-01-01T00:00:00Z"}, "登记码已过期"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"authority": "no certificate"}, "authority"),
        ({"address": "nowhere"}, "address"),
        ({"code": ""}, "code"),
        ({"enrol_address": "127.0.0.1:1"}, "无法连接"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    agent: Agent, service: Service, changes: dict[str, str], words: str
) -> None:
    done = agent.enrol(service.invite() | changes)
    assert done.returncode == 1
    assert words in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_without_an_identity_nothing_runs(agent: Agent) -> None:
    done = agent.command("run")
    assert done.returncode == 1
    assert "尚未登记" in done.stderr.decode()
    done = agent.command("status")
    assert done.returncode == 1
    assert "没有在运行" in done.stderr.decode()


def test_a_wrong_setting_is_named(agent: Agent) -> None:
    agent.configure("[journal]\nkeep_days = 0\n")
    done = agent.command("run")
    assert done.returncode == 2
    assert "journal.keep_days" in done.stderr.decode()
