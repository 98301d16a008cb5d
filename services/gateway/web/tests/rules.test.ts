// Small rules of the pages, each on its own.
import { describe, expect, it } from 'vitest'
import { fitOf, orderedActions, ownAction } from '@/lib/actions'
import { batchFault } from '@/lib/batch'
import { cellValue, chosenColumns, showField, viewColumns } from '@/lib/fields'
import { fileFault, MOST_BYTES, showSize } from '@/lib/files'
import { reasonsOf } from '@/lib/imports'
import { reasonOf } from '@/lib/outcome'
import { daysLeft, normaliseSession } from '@/lib/session'
import { tell } from '@/lib/timeline'
import { say } from '@/locales'
import { safeTarget } from '@/router'
import { stateDef } from '@/states'
import { KIND, row } from './support'

const words = { say, code: (table: string, code: string) => `${table}:${code}` }
const field = (name: string) => KIND.head.find((f) => f.name === name)
const declare = KIND.actions.find((a) => a.name === 'declare')!

describe('values', () => {
  it('codes are shown as name[code]', () => {
    expect(showField(field('flag'), 'A', words)).toBe('甲类[A]')
    expect(showField(field('money'), '502', words)).toBe('currency:502')
    expect(showField(field('flag'), 'Z', words)).toBe('Z')
  })
  it('decimals are aligned, times are Shanghai’s, markup stays text', () => {
    expect(showField(field('worth'), '12.50000', words, 3)).toBe('12.500')
    expect(showField(field('time'), '20261120150412', words)).toBe('2026-11-20 15:04:12')
    expect(showField(undefined, '<b>x</b>', words)).toBe('<b>x</b>')
    expect(showField(field('worth'), null, words)).toBe('')
  })
  it('built-in columns stand on the row, the others in its columns', () => {
    const one = row('a', { return_info: '退' })
    expect(['number', 'batch_no', 'return_info', 'worth', 'nothing'].map((name) => cellValue(one, name))).toEqual([
      'P-a',
      'SF20261120TY01',
      '退',
      '12.50000',
      '',
    ])
  })
})

describe('columns', () => {
  const all = viewColumns(KIND, (name) => `built-in ${name}`)
  it('begin with number, state and customs’ words, then follow the declaration, each once', () => {
    expect(all.map((c) => c.name)).toEqual([
      'number',
      'state',
      'return_info',
      'flag',
      'worth',
      'money',
      'stored_at',
      'updated_at',
      'batch_no',
    ])
    expect(all.find((c) => c.name === 'worth')?.align).toBe('right')
  })
  it('are shown by default or by choice; number and state always', () => {
    expect(chosenColumns(all, null).map((c) => c.name)).toEqual([
      'number',
      'state',
      'return_info',
      'flag',
      'worth',
      'stored_at',
      'updated_at',
    ])
    expect(chosenColumns(all, null, ['flag']).map((c) => c.name)).not.toContain('flag')
    expect(chosenColumns(all, ['money', 'flag'], ['flag']).map((c) => c.name)).toEqual([
      'number',
      'state',
      'flag',
      'money',
    ])
    expect(chosenColumns(all, []).map((c) => c.name)).toEqual(['number', 'state'])
  })
  it('fit the screen by default, the more important first; what is kept always is never left out', () => {
    const names = (room: number) => chosenColumns(all, null, [], room).map((c) => c.name)
    expect(names(0)).toEqual(['number', 'state', 'return_info', 'stored_at'])
    expect(names(760)).toEqual(['number', 'state', 'return_info', 'flag', 'stored_at'])
  })
  it('of what customs issues have no receipts, of kinds without batches no batch number', () => {
    const sheet = { name: 's', batch: false, export_date: null, columns: [] }
    const names = viewColumns({ ...KIND, received: true, sheet }, (name) => name).map((c) => c.name)
    expect(names).not.toContain('return_info')
    expect(names).not.toContain('batch_no')
  })
})

describe('actions', () => {
  it('say why they cannot be done', () => {
    expect(fitOf(declare, [], true).why).toBe('selection')
    expect(fitOf(declare, [row('a')], false).why).toBe('permission')
    expect(fitOf(declare, [row('a', { state: 'sent' })], true).why).toBe('states')
    expect(
      fitOf(
        declare,
        Array.from({ length: 1001 }, (_, i) => row(String(i))),
        true,
      ).why,
    ).toBe('many')
    expect(
      fitOf(
        declare,
        Array.from({ length: 1000 }, (_, i) => row(String(i))),
        true,
      ).why,
    ).toBeNull()
  })
  it('change one document at a time', () => {
    const edit = KIND.actions.find((a) => a.name === 'edit')!
    expect(fitOf(edit, [row('a'), row('b')], true).why).toBe('single')
    expect(fitOf(edit, [row('a')], true).why).toBeNull()
  })
  it('are what a page is for where they are possible in all its states', () => {
    expect(ownAction(KIND, ['draft', 'rejected'])).toBe('declare')
    expect(ownAction(KIND, ['draft', 'sent'])).toBeUndefined()
    expect(ownAction(KIND, [])).toBeUndefined()
  })
  it('count what fits and what will be refused', () => {
    expect(fitOf(declare, [row('a'), row('b', { state: 'sent' })], true)).toEqual({
      fits: ['a'],
      skip: ['b'],
      why: null,
    })
  })
  it('stand in order: the page’s own first, what changes one document then, delete last; pushing is for tasks', () => {
    const push = { ...declare, name: 'push' }
    const kind = { ...KIND, actions: [push, ...KIND.actions] }
    expect(orderedActions(kind, 'declare').map((a) => a.name)).toEqual(['declare', 'edit', 'delete'])
    expect(orderedActions(KIND).map((a) => a.name)).toEqual(['declare', 'edit', 'delete'])
    expect(
      orderedActions(
        KIND,
        undefined,
        KIND.states.filter((s) => s.settled),
      ),
    ).toEqual([])
  })
  it('an unknown state is shown by its name, grey', () =>
    expect(stateDef(KIND, 'later')).toMatchObject({ colour: 'grey', label: { zh: 'later' } }))
})

describe('import', () => {
  it.each(['SF20261120TY01', 'SF20280229TY99', ''])('batch number “%s” is fine', (text) =>
    expect(batchFault(text)).toBeNull(),
  )
  it.each([
    'SF20261120TY1X',
    '20261120TY01',
    'SF-20261120-TY01',
    'SF202611TY01',
    'SF2026112001',
    'sf20261120TY01',
    '批20261120TY01',
  ])('batch number “%s” has the wrong form', (text) => expect(batchFault(text)?.kind).toBe('form'))
  it('names a day that does not exist', () =>
    expect(batchFault('SF20260230TY01')).toEqual({ kind: 'date', date: '20260230' }))
  it('looks at the file before it is sent', () => {
    expect(fileFault({ name: 'a.XLSX', size: 1 })).toBeNull()
    expect(fileFault({ name: 'a.xls', size: 1 })).toBe('type')
    expect(fileFault({ name: 'a.xlsx.exe', size: 1 })).toBe('type')
    expect(fileFault({ name: 'a.xlsx', size: 0 })).toBe('empty')
    expect(fileFault({ name: 'a.xlsx', size: MOST_BYTES + 1 })).toBe('size')
    expect(showSize(1536)).toBe('1.5 KB')
  })
  it('counts reasons, most frequent first', () => {
    const cell = (code: string) => ({ sheet: 's', row: 1, column: 'c', value: '', code, message: `words of ${code}` })
    expect(reasonsOf([cell('a'), cell('b'), cell('b')])).toEqual([
      { code: 'b', text: 'words of b', count: 2 },
      { code: 'a', text: 'words of a', count: 1 },
    ])
  })
})

describe('session', () => {
  it('is read into one shape, whatever is missing', () => {
    expect(normaliseSession({ user: { id: 'u', username: 'li' }, csrf_token: 'x' })).toMatchObject({
      user: { name: 'li' },
      roles: [],
      permissions: [],
      clients: [],
      client: null,
      mandate_ended: false,
    })
    const full = normaliseSession({
      client: {
        id: 'c',
        name: '甲',
        enterprise: { code: '91' },
        mandate: { from: null, to: '2026-12-31T23:59:59+08:00', kinds: ['order'], actions: ['read'] },
      },
    })
    expect(full.client).toEqual({
      id: 'c',
      name: '甲',
      enterprise_code: '91',
      from: null,
      to: '2026-12-31T23:59:59+08:00',
      kinds: ['order'],
      actions: ['read'],
    })
  })
  it('counts the days of a mandate in Shanghai', () => {
    const now = new Date('2026-11-20T07:00:00Z')
    expect(daysLeft('2026-11-20T23:59:59+08:00', now)).toBe(0)
    expect(daysLeft('2026-11-30T00:00:00+08:00', now)).toBe(10)
    expect(daysLeft('2026-11-20T10:00:00+08:00', now)).toBe(-1)
    expect(daysLeft(null, now)).toBeNull()
  })
  it('follows only links inside the pages', () => {
    expect(safeTarget('/orders/open?x=1')).toBe('/orders/open?x=1')
    for (const bad of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '/signin',
      null,
      ['/a'],
    ])
      expect(safeTarget(bad), String(bad)).toBeNull()
  })
})

describe('why something was not done', () => {
  const why = (detail: string, ...messages: string[]) =>
    reasonOf({ id: 'a', ok: false, problem: { detail, errors: messages.map((message) => ({ message })) } } as never)
  it('is told in sentences that end once', () => {
    expect(why('有 1 处内容不正确。', '平台名称必填。')).toBe('有 1 处内容不正确。平台名称必填。')
    expect(why('It is incomplete.', 'Enter the platform.')).toBe('It is incomplete. Enter the platform.')
    expect(why('状态不允许', '状态不允许', '请刷新')).toBe('状态不允许；请刷新')
    expect(why('')).toBe('')
  })
})

describe('timeline and keys', () => {
  const item = (detail?: Record<string, unknown>) => ({ at: '', what: 'signed', text: '', detail })
  it('marks what was signed by a software key', () => {
    expect(
      [item({ hardware: 'false' }), item({ hardware: false }), item({ hardware: 'true' }), item()].map(
        (one) => tell(one).software,
      ),
    ).toEqual([true, true, false, false])
  })
  it('sorts details into what people read and the rest', () => {
    const told = tell(
      item({
        key_label: 'k',
        device: 'd',
        digest: 'x',
        empty: '',
        hardware: 'true',
        status: '100',
        info: '退',
        standing: 'late',
      }),
    )
    expect(told).toEqual({
      named: [
        { key: 'key_label', value: 'k' },
        { key: 'device', value: 'd' },
      ],
      other: [{ key: 'digest', value: 'x' }],
      software: false,
      status: '100',
      info: '退',
      standing: 'late',
    })
  })
})
