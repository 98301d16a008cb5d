// Why something does not sign, what a key and an agent can do, what waits: the rules behind the pages of signing.
import { describe, expect, it } from 'vitest'
import type { DeviceKey, EdgeAgent, SigningCard, WaitingMessage } from '@/api/signing'
import type { SigningDevice } from '@/api/stats'
import { agentState, asClock, fileOf, hangsOn, inOrder, secondsLeft } from '@/lib/agents'
import { keyState, notActivatable, troubleOf, troubleOfCard, validityOf } from '@/lib/keys'
import { explained, REASON_CODES } from '@/lib/signingReasons'
import { canWithdraw, keysWithWork, waitsFor } from '@/lib/signingQueue'
import en from '@/locales/en'
import zh from '@/locales/zh-CN'

const key = (changes: Partial<DeviceKey> = {}): DeviceKey => ({
  id: 'k',
  label: '卡一',
  enterprise_code: '91',
  algorithm: 'rsa-sha1',
  device: 'token',
  hardware: true,
  certificate_serial: '1',
  not_before: '2026-01-01T00:00:00+08:00',
  not_after: '2027-01-01T00:00:00+08:00',
  active: false,
  state: 'usable',
  fingerprint: 'f',
  confirmed_at: '2026-11-20T15:04:00+08:00',
  confirmed_by: '李',
  device_kind: 'card',
  agent_id: 'a',
  expires_in_days: 200,
  warning: 0,
  messages: 0,
  documents: 0,
  reason: '',
  ...changes,
})
const card = (changes: Partial<SigningCard> = {}): SigningCard => ({
  fingerprint: 'f',
  agent_id: 'a',
  serial: '1',
  subject: 'OU=91',
  not_before: '',
  not_after: '',
  token: 'token',
  state: 'ready',
  reason: '',
  mechanisms: ['rsa-sha1'],
  seconds: null,
  at: '',
  key_id: 'k',
  kind: 'rsa',
  ...changes,
})
const agent = (changes: Partial<EdgeAgent> = {}): EdgeAgent => ({
  id: 'a',
  name: '一号机',
  state: 'enrolled',
  connected: true,
  heard_at: null,
  code_expires_at: null,
  certificate_serial: '',
  not_after: null,
  enrolled_at: null,
  revoked_at: null,
  revoked_by: '',
  version: '',
  platform: '',
  host_name: '',
  created_at: '',
  created_by: '',
  ...changes,
})

describe('technical reasons', () => {
  // as services/signer, services/signer/tokens and agent write them
  const KNOWN: [string, string][] = [
    ['out', 'card-out'],
    ['card-out', 'card-out'],
    ['the card is out', 'card-out'],
    ['the card is not here', 'card-out'],
    ['agent-offline', 'agent-offline'],
    ['pin-needed', 'pin-needed'],
    ['the card waits for its PIN', 'pin-needed'],
    ['the card waits for its PIN, with few tries left', 'pin-low'],
    ['the token says that few attempts are left', 'pin-low'],
    ["the card's PIN is locked", 'pin-locked'],
    ['the agent did not begin in time', 'late'],
    ['expired', 'late'],
    ['refused', 'refused'],
    ['does-not-hold', 'not-held'],
    ['the signature did not hold', 'not-held'],
    ["the agent's connection was cut", 'cut'],
    ['the agent gave no answer', 'no-answer'],
    ['no answer in time', 'no-answer'],
    ['main: this PIN was refused before; replace the PIN file', 'device-pin'],
    ['main: PinIncorrect; replace the PIN file, nothing tries this PIN again', 'device-pin'],
    ['main: TokenNotPresent', 'token-gone'],
    ['x/y is not in the token', 'key-missing'],
    ['/usr/lib/x.so cannot be loaded: OSError', 'no-module'],
    ['starting', 'starting'],
    ['main: suspect', 'starting'],
    ['probe', 'probe'],
    ['failing', 'failing'],
  ]
  it.each(KNOWN)('%s → %s', (told, code) => expect(explained(told).code).toBe(code))
  it('say nothing twice: small print only where the device said more', () => {
    expect(explained('the card is out')).toEqual({ code: 'card-out', technical: '' })
    expect(explained('pin-needed', 'CKR_PIN_INCORRECT')).toEqual({ code: 'pin-needed', technical: 'CKR_PIN_INCORRECT' })
    expect(explained('main: TokenNotPresent').technical).toBe('main: TokenNotPresent')
  })
  it('that nobody knows keep their text', () =>
    expect(explained('ZeroDivisionError')).toEqual({ code: 'unknown', technical: 'ZeroDivisionError' }))
  it('have words and a way out in both languages', () => {
    for (const { signing } of [zh, en]) {
      expect(Object.keys(signing.reasons).sort()).toEqual([...REASON_CODES].sort())
      expect(Object.keys(signing.waysOut).sort()).toEqual([...REASON_CODES].sort())
    }
  })
})

describe('a key', () => {
  it('signs, could sign, or first has to prove itself', () => {
    expect(keyState(key({ active: true }))).toBe('active')
    expect(keyState(key())).toBe('usable')
    expect(keyState(key({ confirmed_at: null }))).toBe('unconfirmed')
    // one of the pool proves itself with every probe
    expect(keyState(key({ confirmed_at: null, device_kind: 'main' }))).toBe('usable')
    expect(keyState(key({ active: true, state: 'expired' }))).toBe('expired')
  })
  it('says why it cannot be activated', () => {
    expect(notActivatable(key())).toBeNull()
    expect(notActivatable(key({ active: true }))).toBe('active')
    expect(notActivatable(key({ confirmed_at: null, state: 'unavailable' }))).toBe('unconfirmed')
    expect(notActivatable(key({ state: 'unavailable' }))).toBe('unavailable')
    expect(notActivatable(key({ state: 'expired', active: true }))).toBe('expired')
  })
  it('warns of its certificate: amber, in the last week red', () => {
    expect(validityOf(key())).toBeNull()
    expect(validityOf(key({ warning: 60, expires_in_days: 45 }))).toEqual({ colour: 'amber', word: 'soon', days: 45 })
    expect(validityOf(key({ warning: 30, expires_in_days: 30 }))?.colour).toBe('amber')
    expect(validityOf(key({ warning: 7, expires_in_days: 3 }))).toEqual({ colour: 'red', word: 'soon', days: 3 })
    expect(validityOf(key({ warning: 7, expires_in_days: 0 }))?.word).toBe('today')
    expect(validityOf(key({ warning: 7, expires_in_days: -1 }))?.word).toBe('over')
    expect(validityOf(key({ state: 'expired', expires_in_days: 0, warning: 7 }))?.word).toBe('over')
  })
  it('on a card suffers from what the card suffers from', () => {
    const down = key({ state: 'unavailable', reason: 'CKR_PIN_INCORRECT' })
    expect(troubleOf(down, [card({ state: 'pin-needed', reason: 'CKR_PIN_INCORRECT' })])).toEqual({
      code: 'pin-needed',
      technical: 'CKR_PIN_INCORRECT',
    })
    expect(troubleOfCard(card({ state: 'out', reason: 'agent-offline' }))?.code).toBe('agent-offline')
    expect(troubleOfCard(card({ state: 'out' }))?.code).toBe('card-out')
    expect(troubleOfCard(card())).toBeNull()
    expect(
      troubleOf(key({ device_kind: 'main', state: 'unavailable', reason: 'probe', fingerprint: 'g' }), [])?.code,
    ).toBe('probe')
    expect(troubleOf(key({ state: 'expired' }), [])?.code).toBe('key-expired')
    expect(troubleOf(key(), [])).toBeNull()
  })
})

describe('what waits', () => {
  const waiting = (changes: Partial<WaitingMessage> = {}): WaitingMessage => ({
    message_id: 'm',
    key_id: 'k',
    kind: 'order',
    message_type: 'CEB303',
    enterprise_code: '91',
    documents: 3,
    bulk: false,
    taken: false,
    reason: '',
    queued_at: '',
    ...changes,
  })
  it('says why: its key’s trouble now, else the last attempt, else its turn', () => {
    const out = [card({ state: 'out' })]
    const down = [key({ state: 'unavailable', reason: 'out' })]
    expect(waitsFor(waiting(), [key()], [card()])).toEqual({ what: 'queued' })
    expect(waitsFor(waiting({ reason: 'the card waits for its PIN' }), down, out)).toMatchObject({
      what: 'trouble',
      why: { code: 'card-out' },
    })
    expect(waitsFor(waiting({ reason: 'the agent gave no answer' }), [key()], [card()])).toMatchObject({
      what: 'trouble',
      why: { code: 'no-answer' },
    })
    expect(waitsFor(waiting({ taken: true, reason: 'x' }), down, out)).toEqual({ what: 'taken' })
    expect([waiting(), waiting({ taken: true })].map(canWithdraw)).toEqual([true, false])
  })
  it('is told for the key in use first, then where most waits', () => {
    const device = (changes: Partial<DeviceKey>) => ({ key: key(changes) }) as SigningDevice
    const found = keysWithWork([
      device({ id: '1' }),
      device({ id: '2', messages: 1 }),
      device({ id: '3', messages: 5 }),
      device({ id: '4', active: true }),
    ])
    expect(found.map((one) => one.key.id)).toEqual(['4', '3', '2'])
  })
})

describe('an edge agent', () => {
  it('is connected or not once it is enrolled', () => {
    expect([agent(), agent({ connected: false }), agent({ state: 'code-expired' })].map(agentState)).toEqual([
      'connected',
      'offline',
      'code-expired',
    ])
  })
  it('that needs somebody stands first, a revoked one last', () => {
    const all = [agent({ id: 'r', state: 'revoked' }), agent({ id: 'c' }), agent({ id: 'o', connected: false })]
    expect(inOrder(all).map((one) => one.id)).toEqual(['o', 'c', 'r'])
  })
  it('takes its cards and what waits for them along', () => {
    const keys = [
      key({ messages: 4 }),
      key({ id: 'l', label: '卡二', messages: 1 }),
      key({ agent_id: 'b', messages: 9 }),
    ]
    expect(hangsOn(agent(), keys)).toEqual({ names: ['卡一', '卡二'], messages: 5 })
    expect(hangsOn(agent({ id: 'z' }), keys)).toEqual({ names: [], messages: 0 })
  })
  it('counts its code down by the server’s clock', () => {
    expect(secondsLeft('2026-11-20T08:30:00Z', '2026-11-20T08:00:55Z')).toBe(1745)
    expect(secondsLeft('2026-11-20T08:00:00Z', '2026-11-20T08:30:00Z')).toBe(0)
    expect(secondsLeft(null, '2026-11-20T08:30:00Z')).toBe(0)
    expect([asClock(1745), asClock(5), asClock(0)]).toEqual(['29:05', '0:05', '0:00'])
  })
  it('reads exactly the enrolment from its file', () => {
    const enrolment = { address: 'a:1', enrol_address: 'a:2', authority: 'PEM', code: 'C-1', expires_at: 'x' }
    expect(JSON.parse(fileOf(enrolment))).toEqual(enrolment)
  })
})
