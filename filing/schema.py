"""The tables that every service with documents has, as statements for its first migration.

tenant_id leads every key, so that rows are found under row-level security and the schema can be sharded by tenant.
Searchable values live in document_key because JSON operators cannot use an index under row-level security.
"""

from __future__ import annotations

from runtime import rls


def first(app_role: str, relay_role: str) -> list[str]:
    """Version 1: documents, messages, receipts, imports, outbox and inbox."""
    # imports are staged in temporary tables (runtime.db.stage); its name is only known where this runs
    temporary = f"format('GRANT TEMPORARY ON DATABASE %I TO {app_role}', current_database())"
    return [
        f"DO $$ BEGIN EXECUTE {temporary}; END $$",
        """CREATE TABLE document (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            number text COLLATE "C" NOT NULL,
            natural_key text COLLATE "C" NOT NULL,
            state text NOT NULL,
            state_rank int NOT NULL,
            state_time text COLLATE "C" NOT NULL DEFAULT '',
            settled boolean NOT NULL DEFAULT false,
            customs_status text NOT NULL DEFAULT '',
            return_info text NOT NULL DEFAULT '',
            version int NOT NULL DEFAULT 1,
            attempt int NOT NULL DEFAULT 0,
            guid text COLLATE "C" NOT NULL DEFAULT '',
            message_id uuid,
            submitted_at timestamptz,
            batch_no text COLLATE "C" NOT NULL DEFAULT '',
            mandate_id uuid,
            created_by text NOT NULL,
            stored_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            body jsonb NOT NULL,
            PRIMARY KEY (tenant_id, id))""",
        """CREATE UNIQUE INDEX document_natural_key ON document (tenant_id, natural_key)
            WHERE deleted_at IS NULL AND natural_key <> ''""",
        "CREATE INDEX document_stored ON document (tenant_id, kind, stored_at, id) WHERE deleted_at IS NULL",
        "CREATE INDEX document_settled ON document (tenant_id, kind, settled, stored_at, id) WHERE deleted_at IS NULL",
        "CREATE INDEX document_state ON document (tenant_id, kind, state, stored_at, id) WHERE deleted_at IS NULL",
        "CREATE INDEX document_number ON document (tenant_id, kind, number, id) WHERE deleted_at IS NULL",
        "CREATE INDEX document_message ON document (tenant_id, message_id) WHERE message_id IS NOT NULL",
        "CREATE INDEX document_guid ON document (tenant_id, guid) WHERE guid <> ''",
        *rls.protect("document", app_role, "SELECT, INSERT, UPDATE"),
        """CREATE TABLE document_key (
            tenant_id uuid NOT NULL,
            kind text NOT NULL,
            field text NOT NULL,
            value text COLLATE "C" NOT NULL,
            document_id uuid NOT NULL,
            PRIMARY KEY (tenant_id, kind, field, value, document_id),
            FOREIGN KEY (tenant_id, document_id) REFERENCES document (tenant_id, id))""",
        "CREATE INDEX document_key_document ON document_key (tenant_id, document_id)",
        *rls.protect("document_key", app_role, "SELECT, INSERT, DELETE"),
        """CREATE TABLE document_event (
            tenant_id uuid NOT NULL,
            document_id uuid NOT NULL,
            seq bigint GENERATED ALWAYS AS IDENTITY,
            at timestamptz NOT NULL DEFAULT now(),
            what text NOT NULL,
            actor text NOT NULL,
            detail jsonb NOT NULL DEFAULT '{}',
            PRIMARY KEY (tenant_id, document_id, seq),
            FOREIGN KEY (tenant_id, document_id) REFERENCES document (tenant_id, id))""",
        *rls.protect("document_event", app_role, "SELECT, INSERT"),
        """CREATE TABLE message (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            documents int NOT NULL,
            submitted_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            xml bytea NOT NULL,
            signature jsonb,
            signed_at timestamptz,
            channel text,
            sent_at timestamptz,
            refusal jsonb,
            PRIMARY KEY (tenant_id, id))""",
        "ALTER TABLE message ALTER COLUMN xml SET STORAGE EXTERNAL",
        *rls.protect("message", app_role, "SELECT, INSERT, UPDATE"),
        """CREATE TABLE receipt (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            document_id uuid,
            message_type text NOT NULL,
            natural_key text COLLATE "C" NOT NULL,
            guid text COLLATE "C" NOT NULL,
            status text NOT NULL,
            return_time text COLLATE "C" NOT NULL,
            info text NOT NULL,
            fields jsonb NOT NULL,
            raw_id uuid NOT NULL,
            received_at timestamptz NOT NULL,
            standing text NOT NULL,
            times int NOT NULL DEFAULT 1,
            PRIMARY KEY (tenant_id, id))""",
        """CREATE UNIQUE INDEX receipt_once ON receipt
            (tenant_id, message_type, natural_key, guid, status, return_time)""",
        "CREATE INDEX receipt_document ON receipt (tenant_id, document_id, return_time)",
        *rls.protect("receipt", app_role, "SELECT, INSERT, UPDATE"),
        """CREATE TABLE import_task (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            state text NOT NULL,
            file_name text NOT NULL,
            file bytea,
            batch_no text COLLATE "C" NOT NULL,
            strategy jsonb NOT NULL,
            rows int NOT NULL DEFAULT 0,
            documents int NOT NULL DEFAULT 0,
            accepted int NOT NULL DEFAULT 0,
            rejected int NOT NULL DEFAULT 0,
            errors jsonb NOT NULL DEFAULT '[]',
            repairs jsonb NOT NULL DEFAULT '[]',
            failure jsonb,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id))""",
        "ALTER TABLE import_task ALTER COLUMN file SET STORAGE EXTERNAL",
        "CREATE INDEX import_created ON import_task (tenant_id, kind, created_at, id)",
        "CREATE INDEX import_batch ON import_task (tenant_id, batch_no)",
        *rls.protect("import_task", app_role, "SELECT, INSERT, UPDATE"),
        *rls.outbox_and_inbox(app_role, relay_role),
    ]


def second(app_role: str) -> list[str]:
    """Version 2: revisions of a document, links between documents, exports, import tasks, column mappings."""
    return [
        """ALTER TABLE document
            ADD COLUMN revision int NOT NULL DEFAULT 1,
            ADD COLUMN app_type text NOT NULL DEFAULT '1',
            ADD COLUMN replaces uuid,
            ADD COLUMN replaced_by uuid,
            ADD COLUMN task_id uuid""",
        "DROP INDEX document_natural_key",
        """CREATE UNIQUE INDEX document_natural_key ON document (tenant_id, natural_key, revision)
            WHERE deleted_at IS NULL AND natural_key <> ''""",
        "CREATE INDEX document_task ON document (tenant_id, task_id, stored_at, id) WHERE task_id IS NOT NULL",
        """CREATE TABLE document_ref (
            tenant_id uuid NOT NULL,
            name text NOT NULL,
            value text COLLATE "C" NOT NULL,
            document_id uuid NOT NULL,
            kind text NOT NULL,
            PRIMARY KEY (tenant_id, name, value, document_id),
            FOREIGN KEY (tenant_id, document_id) REFERENCES document (tenant_id, id))""",
        "CREATE INDEX document_ref_document ON document_ref (tenant_id, document_id)",
        *rls.protect("document_ref", app_role, "SELECT, INSERT, DELETE"),
        """ALTER TABLE import_task
            ADD COLUMN task_id uuid,
            ADD COLUMN mapping jsonb,
            ADD COLUMN export_date text NOT NULL DEFAULT '',
            ADD COLUMN attempts int NOT NULL DEFAULT 0""",
        "CREATE INDEX import_of_task ON import_task (tenant_id, task_id, created_at) WHERE task_id IS NOT NULL",
        """CREATE TABLE export_task (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            state text NOT NULL,
            wanted jsonb NOT NULL,
            language text NOT NULL,
            rows int NOT NULL DEFAULT 0,
            done int NOT NULL DEFAULT 0,
            file_name text NOT NULL,
            file bytea,
            failure jsonb,
            user_id text NOT NULL,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            started_at timestamptz,
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id))""",
        "ALTER TABLE export_task ALTER COLUMN file SET STORAGE EXTERNAL",
        "CREATE INDEX export_created ON export_task (tenant_id, created_at, id)",
        *rls.protect("export_task", app_role, "SELECT, INSERT, UPDATE, DELETE"),
        """CREATE TABLE filing_task (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            task_no text COLLATE "C" NOT NULL,
            kind text NOT NULL,
            state text NOT NULL,
            strategy jsonb NOT NULL,
            customer_no text NOT NULL DEFAULT '',
            failure jsonb,
            attempts int NOT NULL DEFAULT 0,
            created_by text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_by text NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            PRIMARY KEY (tenant_id, id))""",
        """CREATE UNIQUE INDEX filing_task_number ON filing_task (tenant_id, task_no)
            WHERE deleted_at IS NULL""",
        "CREATE INDEX filing_task_created ON filing_task (tenant_id, created_at, id) WHERE deleted_at IS NULL",
        *rls.protect("filing_task", app_role, "SELECT, INSERT, UPDATE"),
        """CREATE TABLE column_mapping (
            tenant_id uuid NOT NULL,
            id uuid NOT NULL,
            kind text NOT NULL,
            name text NOT NULL,
            columns jsonb NOT NULL,
            version int NOT NULL DEFAULT 1,
            created_by text NOT NULL,
            updated_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (tenant_id, id))""",
        "CREATE UNIQUE INDEX column_mapping_name ON column_mapping (tenant_id, kind, name)",
        *rls.protect("column_mapping", app_role, "SELECT, INSERT, UPDATE, DELETE"),
    ]


def third() -> list[str]:
    """Version 3: numbers of any kind are found by one range for each field, batches by an index."""
    return [
        # kind after value: one look then serves all kinds that have a number under the same name
        """ALTER TABLE document_key DROP CONSTRAINT document_key_pkey,
            ADD PRIMARY KEY (tenant_id, field, value, kind, document_id)""",
        """CREATE INDEX document_batch ON document (tenant_id, kind, batch_no, stored_at, id)
            WHERE deleted_at IS NULL AND batch_no <> ''""",
    ]


def fourth() -> list[str]:
    """Version 4: when customs cleared a document and why it refused one are columns, so that they can be counted."""
    return [
        "ALTER TABLE document ADD COLUMN cleared_at timestamptz",
        """ALTER TABLE receipt ADD COLUMN refusal text COLLATE "C" NOT NULL DEFAULT ''""",
        # the owner fills in what older receipts said, of all tenants; forced again before anybody else can look
        *(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in ("document", "receipt")),
        *told_before(),
        *(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY" for table in ("document", "receipt")),
        """CREATE INDEX document_cleared ON document (tenant_id, kind, cleared_at, submitted_at)
            WHERE deleted_at IS NULL AND cleared_at IS NOT NULL""",
        """CREATE INDEX receipt_refused ON receipt (tenant_id, received_at, refusal, document_id)
            WHERE refusal <> ''""",
    ]


def told_before() -> list[str]:
    """What receipts from before version 4 said. The codes are those of that day's life courses."""
    return [
        """UPDATE document d SET cleared_at = told.at FROM (
            SELECT r.tenant_id, r.document_id, min(r.received_at) AS at FROM receipt r JOIN document o
             ON o.tenant_id = r.tenant_id AND o.id = r.document_id AND o.state NOT IN ('rejected', 'error')
            WHERE CASE WHEN o.kind IN ('list', 'return') THEN r.status IN ('800', '899')
             WHEN o.kind IN ('order', 'booking', 'payment', 'master-house') THEN r.status IN ('120', '399') ELSE r.status = '399' END
            GROUP BY 1, 2) AS told
            WHERE d.tenant_id = told.tenant_id AND d.id = told.document_id""",
        """UPDATE receipt SET refusal = CASE WHEN status LIKE '-%' THEN status
            ELSE rtrim(status || ' ' || coalesce(substring(left(info, 300) FROM 'Code:\\s*([0-9A-Za-z-]+)'),
             left(btrim(regexp_replace(regexp_replace(left(info, 300),
              '[0-9A-Za-z_./:-]*[0-9][0-9A-Za-z_./:-]{3,}', '…', 'g'), '\\s+', ' ', 'g')), 80))) END
            WHERE document_id IS NOT NULL AND (status LIKE '-%' OR status IN ('4', '100') OR
             (message_type = 'CEB604Message' AND status IN ('501', '502', '503', '599', '700')))""",
    ]
