// How the state of an edge agent is told, how long its one-time code still holds, and what hangs on it.
import type { DeviceKey, EdgeAgent, Enrolment } from '@/api/signing'
import type { StateColour } from '@/api/types'

export type AgentState = 'connected' | 'offline' | 'waiting' | 'code-expired' | 'expired' | 'revoked'
export function agentState(agent: EdgeAgent): AgentState {
  if (agent.state !== 'enrolled') return agent.state
  return agent.connected ? 'connected' : 'offline'
}
export const AGENT_COLOURS: Record<AgentState, StateColour> = {
  connected: 'green',
  offline: 'amber',
  waiting: 'blue',
  'code-expired': 'amber',
  expired: 'red',
  revoked: 'grey',
}
/** Whoever is to be asked about first stands first: what works, what does not, what is gone; by name within. */
const ORDER: readonly AgentState[] = ['offline', 'expired', 'code-expired', 'waiting', 'connected', 'revoked']
export const inOrder = (agents: readonly EdgeAgent[]): EdgeAgent[] =>
  [...agents].sort(
    (a, b) => ORDER.indexOf(agentState(a)) - ORDER.indexOf(agentState(b)) || a.name.localeCompare(b.name, 'zh-CN'),
  )

/** Seconds until a moment of the server's, never below 0. now: by the server's clock. */
export const secondsLeft = (until: string | null, now: string): number =>
  until ? Math.max(0, Math.floor((Date.parse(until) - Date.parse(now)) / 1000)) : 0
/** "29:05" */
export const asClock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`

export const FILE_NAME = 'enrolment.json'
export const COMMANDS = { enrol: `tongguan-agent enrol --file ${FILE_NAME}`, run: 'tongguan-agent run' } as const
export const fileOf = (enrolment: Enrolment): string => `${JSON.stringify(enrolment, null, 2)}\n`

export interface Hangs {
  names: string[]
  messages: number
}
/** The cards of an agent that sign for the enterprise, and how much waits for them. */
export function hangsOn(agent: EdgeAgent, keys: readonly DeviceKey[]): Hangs {
  const own = keys.filter((key) => key.agent_id === agent.id)
  return { names: own.map((key) => key.label), messages: own.reduce((sum, key) => sum + key.messages, 0) }
}
