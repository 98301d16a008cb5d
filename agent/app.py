"""Puts the running agent together: cards, journal, desk, link and page. The only file that knows all of them."""

from __future__ import annotations

import os
import threading
import time
from datetime import datetime

from agent import identity, log
from agent.cards.shelf import Shelf
from agent.config import Config
from agent.desk import Desk
from agent.errors import AgentError
from agent.journal import Journal
from agent.link import Handlers, Link
from agent.link_state import REVOKED
from agent.lock import only_one
from agent.page.server import PageServer
from agent.page.view import View
from proto.agent.v1 import agent_pb2

_LOG = log.Log("app")
_CLEAN_SECONDS = 6 * 3600.0
_TICK_SECONDS = 0.25
_FIRST_LOOK_SECONDS = 5.0


def card_frame(shelf: Shelf) -> agent_pb2.Cards:
    """All cards as the service is told."""
    return agent_pb2.Cards(
        cards=[
            agent_pb2.Card(
                certificate=card.certificate.der,
                token_label=card.label,
                token_serial=card.serial,
                token_model=card.model,
                state=card.state,
                reason=card.reason,
                mechanisms=card.mechanisms,
            )
            for card in shelf.cards()
        ]
    )


class App:
    """One running agent. Raises AgentError if it is not enrolled or runs already."""

    def __init__(self, config: Config) -> None:
        who = identity.read(config.state)
        if who is None:
            raise AgentError(
                "not-enrolled",
                "本机尚未登记，请先运行 tongguan-agent enrol --file 登记文件。",
                "Not enrolled yet: run tongguan-agent enrol --file FILE first.",
            )
        self._config = config
        self._stopped = False
        self._lock = only_one(config.state)
        self.journal = Journal(config.state)
        self.shelf = Shelf(config)
        self.desk = Desk(self.shelf, self.journal, config.confirm, self._send, self._service_time)
        self.link = Link(config, who, self._handlers())
        self.shelf.on_change(self.link.announce)
        self.page = (
            PageServer(View(config, self.shelf, self.desk, self.journal, self.link), config)
            if config.page_enabled
            else None
        )

    def _handlers(self) -> Handlers:
        return Handlers(
            welcome=self.desk.send_unconfirmed,
            cards=lambda: card_frame(self.shelf),
            request=self.desk.receive,
            outcome=self.desk.outcome,
            withdraw=self.desk.withdraw,
            revoked=self._revoked,
        )

    def _send(self, result: agent_pb2.Result) -> None:
        self.link.send(result)

    def _service_time(self) -> datetime:
        return self.link.service_time()

    def run(self) -> int:
        """Until `stop`; returns the exit code: 0, or 3 if the agent was revoked and there is no page to say so."""
        _LOG.info("agent starts", agent_id=self.link.identity.agent_id, pid=os.getpid())
        self.shelf.start()
        if self.page is not None:
            self.page.start()
        # so that the first announcement is not an empty one; a driver that hangs must not keep the others from work
        self.shelf.wait_looked(_FIRST_LOOK_SECONDS)
        self.link.start()
        if self.link.state.code == REVOKED:
            self._revoked()
        next_clean = 0.0
        # looks for a flag: a signal may wake another thread (gRPC's) than this one, which a longer wait would not
        # notice, and an event that a handler sets while this thread has its lock would never be set
        while not self._stopped:
            if time.monotonic() >= next_clean:
                next_clean = time.monotonic() + _CLEAN_SECONDS
                self._clean()
            time.sleep(_TICK_SECONDS)
        self._close()
        return 3 if self.link.state.code == REVOKED else 0

    def stop(self) -> None:
        """End; from any thread or a signal handler."""
        self._stopped = True

    def _revoked(self) -> None:
        # in a thread of its own: this is said by the link, which must not wait for a card
        threading.Thread(target=self.shelf.close, name="revoked", daemon=True).start()
        if self.page is None:
            self.stop()

    def _clean(self) -> None:
        removed = self.journal.clean(self._config.keep_days)
        if removed:
            _LOG.info("journal cleaned", removed=removed)

    def _close(self) -> None:
        _LOG.info("agent stops")
        self.link.close()
        self.desk.close()
        self.shelf.close()
        if self.page is not None:
            self.page.close()
        self.journal.close()
        self._lock.close()
