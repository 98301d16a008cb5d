"""Which right each address needs: one table, compared with the URL map at start. Deny by default.

A route that is not in the table, or a line without a route, keeps the process from starting.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

#: no session needed
PUBLIC = "public"
#: any session; what is answered is nobody's data or the caller's own
SIGNED_IN = "signed-in"
#: the permission depends on the action; the view asks for it
BY_ACTION = "by-action"

#: endpoint -> right
TABLE: Mapping[str, str] = {
    "api-docs.openapi_json": PUBLIC,
    "docs.page": PUBLIC,
    "docs.asset": PUBLIC,
    "session.sign_in": PUBLIC,
    "session.card_begin": PUBLIC,
    "session.card_complete": PUBLIC,
    "session.read": SIGNED_IN,
    "session.sign_out": SIGNED_IN,
    "session.step": SIGNED_IN,
    "preferences.read": SIGNED_IN,
    "preferences.put": SIGNED_IN,
    "preferences.delete": SIGNED_IN,
    "kinds.list_kinds": SIGNED_IN,
    "kinds.read_kind": SIGNED_IN,
    "kinds.template": "document.import",
    "codes.list_tables": SIGNED_IN,
    "codes.search_table": SIGNED_IN,
    "documents.query": "document.read",
    "documents.create": "document.write",
    "documents.read": "document.read",
    "documents.replace": "document.write",
    "documents.delete": "document.delete",
    "documents.act": BY_ACTION,
    "documents.receipts": "document.read",
    "documents.timeline": "document.read",
    "editors.report": "document.write",
    "editors.leave": "document.write",
    "messages.list_messages": "message.read",
    "messages.read": "message.read",
    "chain.links": "document.read",
    "chain.comparison": "document.read",
    "chain.versions": "document.read",
    "chain.build_summary": "document.write",
    "diagnosis.read": "document.read",
    "search.search": "document.read",
    "stats.read": "document.read",
    "stats.overview": "document.read",
    "stats.daily": "document.read",
    "stats.refusals": "document.read",
    "stats.clearance": "document.read",
    "stats.devices": "key.read",
    "imports.start": "document.import",
    "imports.list_imports": "document.import",
    "imports.read": "document.import",
    "imports.errors_workbook": "document.import",
    "imports.keep_valid": "document.import",
    "imports.discard": "document.import",
    "imports.retry": "document.import",
    "imports.propose_batch": "document.import",
    "mappings.list_mappings": "document.import",
    "mappings.create": "document.import",
    "mappings.propose": "document.import",
    "mappings.read": "document.import",
    "mappings.replace": "document.import",
    "mappings.delete": "document.import",
    "tasks.list_tasks": "document.import",
    "tasks.create": "document.import",
    "tasks.documents": "document.import",
    "tasks.read": "document.import",
    "tasks.generate": "document.import",
    "tasks.give_up": "document.import",
    "tasks.delete": "document.delete",
    "exports.direct": "document.export",
    "exports.start": "document.export",
    "exports.read": "document.export",
    "exports.file": "document.export",
    "exports.discard": "document.export",
    "prints.one": "document.export",
    "prints.table": "document.export",
    "live.events": "document.read",
    "devices.list_devices": "key.read",
    "devices.activate": "key.activate",
    "devices.confirm": "key.activate",
    "devices.read_challenge": "key.activate",
    "devices.pool": "key.read",
    "devices.list_cards": "key.read",
    "devices.register_card": "key.activate",
    "signing-queue.read": "key.read",
    "signing-queue.withdraw": "document.declare",
    "ledger.ledger": "audit.read",
    "edge-agents.list_agents": "agent.read",
    "edge-agents.create": "agent.manage",
    "edge-agents.renew_code": "agent.manage",
    "edge-agents.revoke": "agent.manage",
    "admin.strategies": "document.read",
    "admin.users": "user.read",
    "admin.set_card": "user.card",
    "admin.mandates": "mandate.read",
    "admin.revoke_mandate": "mandate.revoke",
    "admin.tenants": "tenant.read",
    "admin.trail": "audit.read",
}


def check(app: Flask) -> None:
    """Raise at start if URL map and table differ."""
    routes = {rule.endpoint for rule in app.url_map.iter_rules()}
    if routes != set(TABLE):
        raise RuntimeError(
            f"rights: without a line: {sorted(routes - set(TABLE))}; without a route: {sorted(set(TABLE) - routes)}"
        )
