"""Settings of the two customs processes, read once from the environment.

Facts about the other side that are not published stay settings here, with how sure we are of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runtime import config

# The exchange platform's id for export messages. Certainty: "code only" (two independent public repositories
# agree, the specification does not print it), hence a setting.
EXPORT_RECEIVER = "DXPEDCCEB0000003"
# The published sample of the return application's receipt calls its root CEB214, its definition CEB214Message.
# Which one customs sends is unknown, so both are taken.
ROOT_SPELLINGS = "CEB214=CEB214Message"


@dataclass(frozen=True, slots=True)
class Customs:
    """What both processes need."""

    database_url: str = field(repr=False)
    bus_url: str = field(repr=False)
    customs_url: str = field(repr=False)
    spool: Path
    ops_listen: str
    log_level: str


@dataclass(frozen=True, slots=True)
class Transmit:
    """gateway.transmit. in_queue: the customs side's queue in, ours out."""

    customs: Customs
    in_queue: str
    receiver: str
    actor_public_key: Path


@dataclass(frozen=True, slots=True)
class Receipts:
    """gateway.receipts. out_queue: the customs side's queue out, ours in. look_again: seconds between looks at
    receipts whose receiver was unknown. spellings: other names under which roots are accepted."""

    customs: Customs
    out_queue: str
    look_again: int
    actor_private_key: Path
    spellings: Mapping[str, str]


def transmit() -> Transmit:
    """Raises ConfigError naming what is missing."""
    return Transmit(
        customs=_customs(),
        in_queue=config.text("CUSTOMS_IN_QUEUE", "customs.in"),
        receiver=config.text("CUSTOMS_RECEIVER_ID", EXPORT_RECEIVER),
        actor_public_key=config.path("ACTOR_PUBLIC_KEY_FILE"),
    )


def receipts() -> Receipts:
    """Raises ConfigError naming what is missing."""
    return Receipts(
        customs=_customs(),
        out_queue=config.text("CUSTOMS_OUT_QUEUE", "customs.out"),
        look_again=config.number("CUSTOMS_LOOK_AGAIN_SECONDS", 60, 1, 86_400),
        actor_private_key=config.path("ACTOR_PRIVATE_KEY_FILE"),
        spellings=_spellings(config.text("RECEIPT_ROOT_SPELLINGS", ROOT_SPELLINGS)),
    )


def _spellings(text: str) -> dict[str, str]:
    """Pairs written=meant, separated by commas; the word none for none. Raises ConfigError."""
    found = {}
    for pair in text.split(",") if text != "none" else ():
        written, _, meant = pair.strip().partition("=")
        if not written or not meant:
            raise config.ConfigError(f"setting RECEIPT_ROOT_SPELLINGS: {pair!r} is not written=meant")
        found[written] = meant
    return found


def _customs() -> Customs:
    spool = config.path("SPOOL_DIR")
    for name in ("to-customs", "from-customs"):
        if not (spool / name).is_dir():
            raise config.ConfigError(f"setting SPOOL_DIR names {spool}, which has no folder {name}")
    return Customs(
        database_url=config.text("DATABASE_URL"),
        bus_url=config.text("BUS_URL"),
        customs_url=config.text("CUSTOMS_AMQP_URL"),
        spool=spool,
        ops_listen=config.text("OPS_LISTEN"),
        log_level=config.text("LOG_LEVEL", "INFO"),
    )
