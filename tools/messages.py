"""`make messages OUT=DIR`: one sample of every message, as the product sends it, and what customs answers to it.

Built, signed and checked by the product's own code with a key in a token that lives as long as the command; answered
by the simulated customs. Every file is held against its definition (XSD) before any is written. Needs no servers.
"""

from __future__ import annotations

import argparse
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog

from documents import reader, xsd
from documents.spec import DocumentType
from documents.xml import Transfer, writer
from filing import ids
from filing.times import SHANGHAI
from runtime.errors import Problem
from services.signer import certificates, check, domain, refusals, xmlsign
from services.signer.provision import Order, ProvisionError, certify, device_of
from services.signer.tokens import settings
from services.signer.tokens.base import DIGEST_INFO, SignRequest, TokenError
from services.signer.tokens.pool import Device, Pool
from services.signer.tokens.settings import DeviceSettings
from tools import devices
from tools.errors import ToolError
from tools.paths import ROOT, write_private
from tools.samples import Sample, samples
from tools.servers import softhsm

#: kind of enterprise -> how its code and name are called in a head
_PARTIES = {
    "ecommerce": "ebc", "platform": "ebp", "logistics": "logistics", "logistics-b2b": "logistics", "payment": "pay",
    "operator": "operator", "agent": "agent",
}  # fmt: skip
_TENANT = "00000000-0000-4000-8000-000000000000"
#: seconds; a slow machine makes an RSA key in a few
_PATIENCE = 60.0

Sign = Callable[[bytes, Transfer], bytes]


def main(argv: list[str] | None = None) -> int:
    """Write the samples; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.messages")
    parser.add_argument(
        "out", type=Path, help="folder, made if missing; files of the same names are replaced"
    )
    parser.add_argument("--algorithm", default="rsa-sha1", choices=sorted(xmlsign.ALGORITHMS))
    arguments = parser.parse_args(argv)
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            for file in _make(Path(folder), arguments.algorithm):
                shutil.copyfile(file, arguments.out / file.name)
                print(arguments.out / file.name)
    except (ToolError, ProvisionError, check.SignatureWrong, TokenError, Problem, OSError) as error:
        print(f"messages: {error}", file=sys.stderr)
        return 1
    return 0


def _make(folder: Path, algorithm: str) -> list[Path]:
    """Everything in a folder of its own, checked: messages first, then receipts."""
    sent, received, authority = folder / "sent", folder / "received", folder / "authority"
    sent.mkdir()
    with _signer(folder, authority, algorithm) as sign:
        for sample in samples():
            (sent / f"{sample.name}.xml").write_bytes(_message(sample, sign))
    done = subprocess.run(
        [sys.executable, "-m", "simulator", "receipts", "--in", str(sent), "--out", str(received),
         "--authority", str(authority), "--broken"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ToolError(f"the simulated customs gave no receipts: {done.stderr.strip()}")
    files = [*sorted(sent.iterdir()), *sorted(received.iterdir())]
    missing = set(xsd.definitions()) - {_judged(file) for file in files}
    if missing:
        raise ToolError(f"there is no sample of {', '.join(sorted(missing))}")
    return files


def _judged(file: Path) -> str:
    """The root of a file. Raises ToolError unless it is what its definition says, and no refusal."""
    said = reader.read(file.read_bytes())
    if not said["definition"]["valid"]:
        raise ToolError(f"{file.name} is not what its definition says: {said['definition']['errors']}")
    if said["problems"] or said["unknown"] or said["codes"]:
        raise ToolError(f"{file.name} is not right: {said['problems']} {said['unknown']} {said['codes']}")
    refused = [item for item in said["receipts"] if item["state"] in ("rejected", "error")]
    if refused:
        raise ToolError(f"the simulated customs refused, {file.name}: {refused[0]['returnInfo']}")
    return str(said["type"])


# ---- messages ------------------------------------------------------------------------------------------------------


def _message(sample: Sample, sign: Sign) -> bytes:
    """The signed bytes of one message, as filing and signer make them."""
    make = writer(sample.doctype)
    transfer = _transfer(sample)
    now = datetime.now(SHANGHAI).strftime("%Y%m%d%H%M%S")
    nodes = []
    for body, document_id in zip(sample.bodies, ids.ordered_ids(len(sample.bodies)), strict=True):
        sources = {"guid": ids.guid_of(document_id, 1), "app_type": "1", "app_time": now, "app_status": "2"}
        system = {name: sources[source] for name, source in sample.doctype.on_submit}
        nodes.append(make.document(body, system))
    return sign(make.message(nodes, ids.new_id().upper(), transfer), transfer)


def _transfer(sample: Sample) -> Transfer:
    """The enterprise that sends: the first of those that may and that the document names."""
    head = sample.bodies[0]["head"]
    for kind in sample.doctype.senders:
        party = _PARTIES[kind]
        code, name = head.get(f"{party}Code"), head.get(f"{party}Name")
        if code and name:
            return Transfer(code, name, _dxp_id(sample.doctype, code))
    raise ToolError(f"{sample.name} names no enterprise that may send it")


def _dxp_id(doctype: DocumentType, code: str) -> str:
    """A number at the data exchange platform, always the same for one enterprise."""
    digits = int.from_bytes(code.encode(), "big") % 10**10
    return f"DXP{'LGS' if doctype.senders[0] == 'logistics' else 'ENT'}{digits:010d}"


# ---- signatures ----------------------------------------------------------------------------------------------------


@contextmanager
def _signer(folder: Path, authority: Path, algorithm: str) -> Iterator[Sign]:
    """Signs as the product does: a key per enterprise in a token, a certificate of the demo authority."""
    command = shlex.join((sys.executable, "-m", "simulator", "authority", "--dir", str(authority)))
    known: dict[str, tuple[str, certificates.Certificate]] = {}
    chosen = device_of(_devices(folder), algorithm)
    with closing(Pool([chosen])) as pool:
        device = pool.devices[chosen.name]
        device.wait_ready(_PATIENCE)

        def sign(canonical: bytes, transfer: Transfer) -> bytes:
            if transfer.cop_code not in known:
                order = Order(_TENANT, transfer.cop_code, transfer.cop_name, algorithm, command, active=True)
                known[transfer.cop_code] = _key(device, order)
            return _signed(device, algorithm, *known[transfer.cop_code], canonical)

        yield sign


def _key(device: Device, order: Order) -> tuple[str, certificates.Certificate]:
    """A key pair of an enterprise: its name in the token, and its certificate."""
    key_id = ids.new_id()
    key = domain.token_key(_TENANT, key_id)
    certificate = certify(device, order, key_id, lambda: datetime.now(UTC))
    assert certificate is not None  # an authority's command answers at once
    return key, certificate


def _signed(
    device: Device, name: str, key: str, certificate: certificates.Certificate, canonical: bytes
) -> bytes:
    algorithm = xmlsign.ALGORITHMS[name]
    try:
        facts = check.read(canonical)
    except refusals.Refused as refused:
        raise ToolError(f"the signer refuses a message: {refused.refusal.en}") from refused
    strangers = [codes for codes in facts.parties if facts.cop_code not in codes]
    if strangers:
        raise ToolError(f"{facts.message_type}: {facts.cop_code} is no party of a document")
    prepared = xmlsign.prepare(algorithm, facts.namespaces, canonical)
    request = SignRequest(key, name, prepared.signed_info)
    if prepared.digest_info:
        request = SignRequest(key, DIGEST_INFO, prepared.digest_info)
    (value,) = device.sign([request])
    if isinstance(value, TokenError):
        raise ToolError(f"the token did not sign: {value}")
    final = xmlsign.assemble(
        canonical, prepared, value, xmlsign.key_info(certificate.serial, certificate.der)
    )
    check.verify(final, prepared.digest, algorithm, certificate, "raw")
    return final


def _devices(folder: Path) -> tuple[DeviceSettings, ...]:
    """A token of each kind that nobody knows the secrets of, in the folder."""
    pin, so_pin, sealing_key = folder / "pin", folder / "so-pin", folder / "sealing-key"
    for file, size in ((pin, 8), (so_pin, 8), (sealing_key, 32)):
        write_private(file, secrets.token_hex(size))
    (folder / "sealed").mkdir()
    token = softhsm.SoftHsm(folder / "token", pin, so_pin)
    token.create()
    sealed = {"name": "files", "folder": folder / "sealed", "key_file": sealing_key, "seconds": _PATIENCE}
    written = devices.write(
        folder / "devices.toml",
        folder / "memory",
        {
            "pkcs11": ("pkcs11", [token.member("softhsm", workers=1, seconds=_PATIENCE)]),
            "sealed": ("sealed", [sealed]),
        },
    )
    return settings.read(written)


if __name__ == "__main__":
    # what the token's pool logs is for operators of a service
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    sys.exit(main())
