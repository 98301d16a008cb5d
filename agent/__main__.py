"""`python -m agent COMMAND`, installed as `tongguan-agent`.

enrol: exchange a one-time code for this PC's certificate. run: hold cards and sign. check: what the card drivers see,
without logging in. status, cards, journal, pin, confirm, refuse, page: look at and use the agent that runs.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import webbrowser
from pathlib import Path

from agent import VERSION, check, config, enrol, files, log
from agent.app import App
from agent.errors import AgentError
from agent.lock import only_one
from agent.screen import Screen


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 refused or failed, 2 wrong usage or settings, 3 revoked."""
    for stream in (sys.stdout, sys.stderr):
        # a console of another code page must not end the agent
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    parsed = _parser().parse_args(arguments)
    state = Path(parsed.state or os.environ.get("TONGGUAN_AGENT_STATE") or files.default_state())
    try:
        return _run(parsed, state)
    except AgentError as exc:
        print(f"{exc.zh}\n{exc.en}", file=sys.stderr)
        return 2 if exc.code == "settings" else 1


def _run(parsed: argparse.Namespace, state: Path) -> int:
    files.private_folder(state)
    if parsed.command == "enrol":
        return _enrol(parsed, state)
    settings = config.read(state, parsed.config)
    if parsed.command == "run":
        return _serve(settings, console=not parsed.quiet)
    if parsed.command == "check":
        return check.run(settings)
    screen = Screen(state, settings.language)
    match parsed.command:
        case "status":
            return screen.status()
        case "cards":
            return screen.cards()
        case "journal":
            return screen.journal()
        case "pin":
            return screen.pin(parsed.card)
        case "page":
            print(screen.url)
            if parsed.open:
                webbrowser.open(screen.url)
            return 0
    return screen.confirm(parsed.request, yes=parsed.command == "confirm")


def _enrol(parsed: argparse.Namespace, state: Path) -> int:
    if parsed.file is not None:
        invitation = enrol.read_file(parsed.file)
    else:
        if not (parsed.address and parsed.authority and parsed.code):
            raise AgentError(
                "settings",
                "请给出 --file，或一并给出 --address、--authority 与 --code。",
                "Give --file, or --address, --authority and --code together.",
            )
        try:
            authority = parsed.authority.read_text(encoding="utf-8")
        except OSError as exc:
            raise AgentError(
                "settings", f"无法读取 {parsed.authority}。", f"Cannot read {parsed.authority}."
            ) from exc
        invitation = enrol.check(
            enrol.Invitation(parsed.address, parsed.enrol_address or parsed.address, authority, parsed.code)
        )
    # not under a running agent, which would go on as the one before
    with only_one(state):
        made = enrol.enrol(state, invitation)
    settings = state / config.FILE
    if not settings.exists():
        settings.write_text(config.example(), encoding="utf-8")
    print(
        f"已登记为 {made.enterprise_name} 的代理 {made.agent_id}。请在 {settings} 中写明卡驱动，然后 tongguan-agent run。"
    )
    print(
        f"Enrolled as agent {made.agent_id} of {made.enterprise_name}. Name the card driver in {settings}, then run."
    )
    return 0


def _serve(settings: config.Config, *, console: bool) -> int:
    log.configure(settings.state, settings.log_level, console=console)
    app = App(settings)
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, lambda *_: app.stop())
    if app.page is not None and sys.stdout.isatty():
        print(f"page: {app.page.url}", flush=True)
    code = app.run()
    if app.link.identity.revoked or code:
        print(f"{app.link.state.zh}\n{app.link.state.en}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tongguan-agent", description=__doc__)
    parser.add_argument("--version", action="version", version=VERSION)
    parser.add_argument("--state", help="folder of identity, journal, log and settings")
    parser.add_argument("--config", type=Path, help="settings file; default: agent.toml in the state folder")
    verbs = parser.add_subparsers(dest="command", required=True)
    enrolling = verbs.add_parser("enrol", help="exchange a one-time code for this PC's certificate")
    enrolling.add_argument("--file", type=Path, help="enrolment.json from the enterprise's administrator")
    enrolling.add_argument("--address", help="host:port of the service for agents")
    enrolling.add_argument("--enrol-address", help="host:port for enrolment; default: --address")
    enrolling.add_argument("--authority", type=Path, help="PEM file of the service's authority")
    enrolling.add_argument("--code", help="the one-time code")
    running = verbs.add_parser("run", help="hold cards and sign until stopped")
    running.add_argument("--quiet", action="store_true", help="log to the file alone")
    for name, words in (
        ("check", "what the card drivers see, without logging in"),
        ("status", "connection and requests of the running agent"),
        ("cards", "cards of the running agent"),
        ("journal", "latest signatures"),
    ):
        verbs.add_parser(name, help=words)
    verbs.add_parser("pin", help="log in to a card").add_argument(
        "--card", default="", help="beginning of its fingerprint"
    )
    verbs.add_parser("page", help="print the page's address").add_argument(
        "--open", action="store_true", help="and open it in a browser"
    )
    for name in ("confirm", "refuse"):
        verbs.add_parser(name, help=f"{name} a request that asks for it").add_argument("request")
    return parser


if __name__ == "__main__":
    sys.exit(main())
