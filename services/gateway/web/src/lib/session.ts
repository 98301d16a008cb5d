// Reads the session answer into one shape. Missing optional parts become empty, so that pages need no questions.
import type { Client, SessionInfo, SessionLife } from '@/api/types'

type Raw = Record<string, unknown>
const record = (value: unknown): Raw =>
  value && typeof value === 'object' && !Array.isArray(value) ? (value as Raw) : {}
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : []

function client(value: unknown): Client {
  const raw = record(value)
  const mandate = record(raw.mandate)
  return {
    id: text(raw.id),
    name: text(raw.name),
    enterprise_code: text(record(raw.enterprise).code),
    from: text(mandate.from) || null,
    to: text(mandate.to) || null,
    kinds: texts(mandate.kinds),
    actions: texts(mandate.actions),
  }
}

function life(value: unknown): SessionLife {
  const raw = record(value)
  const seconds = (part: unknown) => (typeof part === 'number' && part > 0 ? part : 0)
  return {
    idle_seconds: seconds(raw.idle_seconds),
    idle_left: seconds(raw.idle_left),
    ends_at: text(raw.ends_at),
  }
}

export function normaliseSession(raw: Raw): SessionInfo {
  const user = record(raw.user)
  const tenant = record(raw.tenant)
  const enterprise = record(raw.enterprise)
  // while one acts for a client the documents are filed in the client's name, as its declaring agent
  const acting = raw.client ? record(record(raw.client).enterprise) : null
  const filing = acting ?? enterprise
  return {
    user: { id: text(user.id), username: text(user.username), name: text(user.name) || text(user.username) },
    tenant: { id: text(tenant.id), name: text(tenant.name) },
    enterprise: { code: text(enterprise.code), name: text(enterprise.name) || text(tenant.name) },
    filing: {
      code: text(filing.code),
      name: text(filing.name),
      kinds: [...new Set([...texts(filing.kinds), ...(acting ? ['agent'] : [])])],
    },
    roles: texts(raw.roles),
    permissions: texts(raw.permissions),
    kinds: Array.isArray(raw.kinds) ? texts(raw.kinds) : null,
    clients: (Array.isArray(raw.clients) ? raw.clients : []).map(client),
    client: raw.client ? client(raw.client) : null,
    mandate_ended: raw.mandate_ended === true,
    csrf_token: text(raw.csrf_token),
    life: life(raw.session),
  }
}

/** Whole days until the end of a mandate or certificate, in Shanghai's calendar; negative when over, null when open. */
export function daysLeft(end: string | null | undefined, now: Date = new Date()): number | null {
  const at = end ? Date.parse(end) : Number.NaN
  if (Number.isNaN(at)) return null
  const day = (ms: number) => Math.floor((ms + 8 * 3600_000) / 86_400_000)
  return at < now.getTime() ? -1 : day(at) - day(now.getTime())
}
