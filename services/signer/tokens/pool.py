"""The devices of this signer: work is spread over the members that hold its keys and goes on with any of them alive.

How a member lives is in member.py, who may do what in routing.py. Must never refuse a message because a member is
away: callers then hear Problem unavailable, and the work waits with them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeout

from runtime.errors import Problem, unavailable
from services.signer import certificates, probe
from services.signer.tokens import routing
from services.signer.tokens.base import FATAL, SignRequest, TokenError, TokenInfo
from services.signer.tokens.board import Board, Job, packed
from services.signer.tokens.member import Member
from services.signer.tokens.pace import GENERATE_SECONDS
from services.signer.tokens.settings import ATTEMPTS, DeviceSettings
from services.signer.tokens.states import MemberState, State

#: requests of one frame: more than this adds latency and saves nothing (measured)
MICRO_BATCH = 64


class Device:
    """All members of one device. Any thread may call it."""

    def __init__(self, settings: DeviceSettings) -> None:
        self.settings = settings
        self._board = Board()
        self._changed = threading.Condition()
        #: two who ask for one key at once must not both find it missing
        self._making = threading.Lock()
        #: why nothing came back in time, until something does
        self._stalled = ""
        self.members = [
            Member(settings.name, item, self._board, self._may, self._settled) for item in settings.members
        ]
        for member in self.members:
            member.start()

    # ---- how it is -------------------------------------------------------------------------------------------------

    @property
    def info(self) -> TokenInfo | None:
        """What its members are and can all do; None until one was opened."""
        known = [member.info for member in self.members if member.info]
        if not known:
            return None
        mechanisms = frozenset.intersection(*(info.mechanisms for info in known))
        return TokenInfo(known[0].name, all(info.hardware for info in known), mechanisms)

    @property
    def trouble(self) -> str:
        """Why no worker runs, for people; empty while one does."""
        return "" if self.pids else self._reasons()

    @property
    def down(self) -> str:
        """Why the device is not worth asking now; empty while a member can sign, or may soon."""
        if any(member.state in routing.HOPEFUL for member in self.members):
            return self._stalled
        return self._reasons()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers that run."""
        return sorted(pid for member in self.members for pid in member.pids)

    def states(self) -> list[MemberState]:
        """Every member with its state, since when and why."""
        return [member.standing.told() for member in self.members]

    def wait_ready(self, seconds: float) -> TokenInfo:
        """What the device is, once a member can sign; raises Problem unavailable."""
        limit = time.monotonic() + seconds
        with self._changed:
            while not any(member.state is State.HEALTHY for member in self.members):
                hopeful = any(member.state in routing.HOPEFUL for member in self.members)
                if not hopeful or not self._changed.wait(max(0.0, limit - time.monotonic())):
                    raise _down(self._reasons())
        info = self.info
        assert info is not None
        return info

    # ---- work ------------------------------------------------------------------------------------------------------

    def sign(self, requests: Sequence[SignRequest], *, urgent: bool = False) -> list[bytes | TokenError]:
        """Begin and finish at once."""
        return self.finish(self.begin(requests, urgent=urgent))

    def begin(self, requests: Sequence[SignRequest], *, urgent: bool = False) -> list[Job]:
        """Spread over members and workers, without waiting; urgent: before all that waits. Raises Problem unavailable if
        no member can do it.

        Jobs come in the order of `requests`, but for keys that lie in different members: see `finish`."""
        return [
            self._submit(job, first=urgent)
            for indices in routing.groups([request.key for request in requests], self.members)
            for job in self._jobs(requests, indices)
        ]

    def finish(self, jobs: Sequence[Job]) -> list[bytes | TokenError]:
        """One answer per request, in the order in which they were begun. Raises Problem unavailable if the device is
        down."""
        answers: dict[int, bytes | TokenError] = {}
        # the last one first: mostly it ends last, and then nothing else has to be waited for
        for job in reversed(jobs):
            answers.update(zip(job.places, self._answers(job), strict=True))
        return [answers[index] for index in range(len(answers))]

    def key_names(self) -> list[str]:
        """Names of the keys in the members that can be asked (domain.token_key)."""
        listed = [self._of(member, [b"keys"]) for member in self.members if member.state is State.HEALTHY]
        if not listed:
            raise _down(self._reasons())
        return sorted({key.decode() for keys in listed for key in keys})

    def public_key(self, key: str) -> bytes:
        """SubjectPublicKeyInfo of a key; raises TokenError key-missing."""
        for member in self.members:
            if member.state is State.HEALTHY and member.keys and key in member.keys:
                return self._of(member, [b"public", key.encode()])[0]
        raise TokenError("key-missing", f"{key} is not in the members that can be asked")

    def generate(self, key: str, kind: str) -> bytes:
        """Make the key pair unless it is there; returns its SubjectPublicKeyInfo. kind: rsa | ec | sm2.

        Made in one member, from where the vendor's own replication brings it to the others. Only while all can be
        asked: one that is away may hold a key of that name already, and two keys of one name would never agree."""
        limit = time.monotonic() + self.settings.patience
        for member in self.members:
            self._await(member, limit)
            if member.state is not State.HEALTHY:
                raise _down(f"{member.name}: {member.standing.reason}; keys are made while all members work")
        with self._making:
            if key in self.key_names():
                return self.public_key(key)
            member = next((one for one in self.members if kind in one.settings.makes), self.members[0])
            job = Job([b"generate", key.encode(), kind.encode()], only=member.name)
            return self._result(self._submit(job), GENERATE_SECONDS + 5)[0]

    def probe(self, member: Member, key: str) -> str:
        """Let this member sign a fresh challenge: empty if the signature holds, else the reason."""
        try:
            public = self._of(member, [b"public", key.encode()])[0]
            asked = probe.challenge(key, public, member.mechanisms or ())
            job = Job([b"sign", *packed(asked.request)], [asked.request], only=member.name)
            code, signature = self._result(self._submit(job))
        except (TokenError, certificates.CertificateError) as exc:
            return str(exc)
        if code:
            return f"{code.decode()}: {signature.decode(errors='replace')}"
        if not asked.holds(signature):
            member.distrust("a signature of the canary does not hold")
            return "the signature does not hold"
        return ""

    def list_keys(self, member: Member) -> list[str]:
        """Names of the keys in one member. Raises Problem unavailable."""
        return sorted(key.decode() for key in self._of(member, [b"keys"]))

    def close(self) -> None:
        """End all workers."""
        for member in self.members:
            member.stop()
        for member in self.members:
            member.join()

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _jobs(self, requests: Sequence[SignRequest], indices: list[int]) -> list[Job]:
        working = [member for member in self.members if member.state is State.HEALTHY] or self.members
        most = min(member.frame(MICRO_BATCH) for member in working)
        # while others wait, nobody gets an answer sooner for having it made in more places
        shares = 1 if self._board.waiting else sum(member.settings.workers for member in working)
        size = max(1, min(-(-len(indices) // shares), most))
        made = []
        for at in range(0, len(indices), size):
            places = indices[at : at + size]
            chosen = [requests[index] for index in places]
            made.append(Job([b"sign", *packed(*chosen)], chosen, places=places))
        return made

    def _may(self, member: Member, job: Job) -> bool:
        return routing.may(member, job, self.members)

    def _settled(self) -> None:
        """A member's state changed: who waits looks again, and what nobody can do any more is answered."""
        with self._changed:
            self._changed.notify_all()
        for job in self._board.drop(lambda job: routing.hopeless(job, self.members)):
            job.fail(TokenError("lost", self._reasons()))

    def _submit(self, job: Job, *, first: bool = False) -> Job:
        if routing.hopeless(job, self.members):
            raise _down(self._reasons())
        self._board.put(job, first=first)
        if routing.hopeless(job, self.members):
            # the last member went away in between
            self._settled()
        return job

    def _await(self, member: Member, limit: float) -> None:
        """Until it is healthy, or is not expected to be soon."""
        with self._changed:
            while member.state in (State.SUSPECT, State.RESETTING, State.DRAINING):
                if not self._changed.wait(max(0.0, limit - time.monotonic())):
                    return

    def _of(self, member: Member, fields: list[bytes]) -> list[bytes]:
        return self._result(self._submit(Job(fields, only=member.name)))

    def _answers(self, job: Job) -> list[bytes | TokenError]:
        """A job's answers; for keys that the member did not have, those of the members that do."""
        answer = self._result(job)
        if len(answer) != 2 * len(job.requests):
            raise _down("the token process answered another number of requests")
        results: list[bytes | TokenError] = []
        for request, code, value in zip(job.requests, answer[::2], answer[1::2], strict=True):
            again = self._again(job, request) if code == b"key-missing" else None
            if again is not None:
                results += self._answers(self._submit(again))
            else:
                results.append(TokenError(code.decode(), value.decode(errors="replace")) if code else value)
        return results

    def _again(self, job: Job, request: SignRequest) -> Job | None:
        """The same for another member; for the same one where it held the key a moment ago, as some libraries hide one
        for so long. None if all were asked."""
        doubted = request.key in job.vanished and not job.again
        missing = job.missing if doubted else job.missing | {job.by}
        if len(missing) == len(self.members):
            return None
        return Job([b"sign", *packed(request)], [request], missing=missing, again=doubted or job.again)

    def _result(self, job: Job, seconds: float | None = None) -> list[bytes]:
        try:
            answer = job.future.result(seconds or self.settings.patience)
        except FutureTimeout:
            job.future.cancel()
            reason = self._reasons() or "no answer in time"
            if not job.only:
                # what one member leaves undone says nothing about the others
                self._stalled = reason
            raise _down(reason) from None
        except TokenError as exc:
            if exc.code not in FATAL:
                raise
            if job.attempts >= ATTEMPTS and self._works_without(job):
                # the device is well: it is this job that kills its processes
                raise Problem(
                    "internal",
                    "签名设备无法处理该请求，设备本身正常。",
                    f"The device is well but cannot handle this request: {exc.reason}",
                ) from exc
            raise _down(exc.reason) from exc
        self._stalled = ""
        return answer

    def _works_without(self, job: Job) -> bool:
        """Does a member that failed with the job sign with a key which the job did not use?"""

        concerned = [member for member in self.members if member.name in job.tried]
        if not any((member.keys or frozenset()) - job.keys for member in concerned):
            return False

        def proved() -> bool:
            trials = [member.proved for member in concerned]
            return any(at > job.failed_at and key not in {"", *job.keys} for at, key in trials)

        with self._changed:
            return self._changed.wait_for(proved, self.settings.patience)

    def _reasons(self) -> str:
        """What keeps its members from signing."""
        told = [member.standing for member in self.members]
        names = [member.name for member in self.members]
        return "; ".join(
            f"{name}: {one.reason or one.state.name.lower()}"
            for name, one in zip(names, told, strict=True)
            if one.state is not State.HEALTHY or one.reason
        )


class Pool:
    """The devices of this signer by name."""

    def __init__(self, settings: Sequence[DeviceSettings]) -> None:
        self.devices = {item.name: Device(item) for item in settings}

    def states(self) -> list[MemberState]:
        """Every member of every device."""
        return [state for device in self.devices.values() for state in device.states()]

    def close(self) -> None:
        """End all workers of all devices."""
        for device in self.devices.values():
            device.close()


def _down(reason: str) -> Problem:
    return unavailable("签名设备", f"The signing device ({reason})")
