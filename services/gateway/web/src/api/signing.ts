// Signing keys, cards, edge agents, the devices of the pool, what waits for a signature and the ledger, as the API answers them.
// Words named `reason` are technical; lib/signingReasons.ts says them to people.

export interface DeviceKey {
  id: string
  label: string
  enterprise_code: string
  algorithm: string
  /** where it is kept, in words */
  device: string
  /** false: a software token, and the pages say so */
  hardware: boolean
  certificate_serial: string
  not_before: string
  not_after: string
  /** the key that signs now */
  active: boolean
  state: 'usable' | 'expired' | 'unavailable'
  fingerprint: string
  /** when it answered a person's challenge */
  confirmed_at: string | null
  confirmed_by: string
  /** name of a device of the pool, or card */
  device_kind: string
  /** of a card: the edge agent that showed it first */
  agent_id: string | null
  /** whole days; negative = over */
  expires_in_days: number
  /** the certificate ends within so many days; 0 = later */
  warning: 0 | 7 | 30 | 60
  /** that wait for it or are being signed */
  messages: number
  documents: number
  /** why it does not work; technical */
  reason: string
}

export type CardState = 'ready' | 'pin-needed' | 'pin-low' | 'pin-locked' | 'failing' | 'out'
/** A card that an edge agent showed. */
export interface SigningCard {
  fingerprint: string
  agent_id: string
  serial: string
  subject: string
  not_before: string
  not_after: string
  token: string
  state: CardState
  reason: string
  mechanisms: string[]
  /** for one signature, as measured */
  seconds: number | null
  at: string
  /** the key it is registered as */
  key_id: string | null
  kind: 'rsa' | 'sm2'
}
export type MemberState = 'healthy' | 'suspect' | 'draining' | 'resetting' | 'locked' | 'absent'
export interface PoolMember {
  name: string
  state: MemberState
  text: string
  reason: string
  since: string | null
}
export interface PoolDevice {
  name: string
  info: string
  hardware: boolean
  working: boolean
  reason: string
  workers: number
  mechanisms: string[]
  members: PoolMember[]
}
/** What a key was asked to sign to prove that it is there. used: it proved itself. */
export interface Challenge {
  id: string
  state: 'waiting' | 'signed' | 'refused' | 'used'
  reason: string
  expires_at: string
}
export interface EdgeAgent {
  id: string
  name: string
  state: 'waiting' | 'code-expired' | 'enrolled' | 'expired' | 'revoked'
  connected: boolean
  heard_at: string | null
  code_expires_at: string | null
  certificate_serial: string
  not_after: string | null
  enrolled_at: string | null
  revoked_at: string | null
  revoked_by: string
  version: string
  platform: string
  host_name: string
  created_at: string
  created_by: string
}
/** What an agent is enrolled with: shown once. The file that the agent reads is exactly this. */
export interface Enrolment {
  address: string
  enrol_address: string
  authority: string
  code: string
  expires_at: string
}
export interface NewAgent {
  agent: EdgeAgent
  enrolment: Enrolment
}
/** A message that waits for its signature, or is being signed. */
export interface WaitingMessage {
  message_id: string
  key_id: string
  kind: string
  message_type: string
  enterprise_code: string
  documents: number
  bulk: boolean
  /** a device works on it: too late to withdraw */
  taken: boolean
  reason: string
  queued_at: string
}
export interface LedgerRow {
  seq: string
  message_id: string
  kind: string
  what: string
  key_id: string
  algorithm: string
  digest: string
  at: string
  actor: string
  hash: string
}
