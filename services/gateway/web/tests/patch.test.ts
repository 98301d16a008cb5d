import { mount } from '@vue/test-utils'
import { defineComponent, shallowRef } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { DocumentRow, StateChange } from '@/api/types'
import { mergeRows, patchRows } from '@/lib/patch'
import { useRowPatches } from '@/pages/query/useRowPatches'
import { useSelection } from '@/pages/query/useSelection'
import { row } from './support'

const change = (id: string, version: number, state = 'sent', more: Partial<StateChange> = {}): StateChange => ({
  id,
  version,
  state,
  settled: false,
  ...more,
})

function inComponent<T>(setup: () => T): T {
  let made: T | undefined
  mount(
    defineComponent({
      setup: () => {
        made = setup()
        return () => null
      },
    }),
  )
  return made as T
}

describe('a live change', () => {
  it('changes its row in place and no other', () => {
    const rows = [row('a'), row('b'), row('c')]
    const { rows: patched, flashed } = patchRows(rows, [
      change('b', 2, 'released', { settled: true, customs_status: '800' }),
    ])
    expect(patched.map((r) => r.id)).toEqual(['a', 'b', 'c'])
    expect(patched[1]).toMatchObject({ state: 'released', settled: true, version: 2, customs_status: '800' })
    expect(patched[0]).toBe(rows[0])
    expect(flashed).toEqual(['b'])
  })
  it('is ignored when it is older than the row, or the row as it stands', () => {
    const rows = [row('a', { version: 5, state: 'sent' })]
    expect(patchRows(rows, [change('a', 4, 'draft')]).flashed).toEqual([])
    expect(patchRows(rows, [change('a', 5, 'sent')]).flashed).toEqual([])
  })
  it('of unknown rows adds nothing', () => {
    expect(patchRows([row('a')], [change('z', 2)])).toMatchObject({ rows: [{ id: 'a', version: 1 }], flashed: [] })
  })
  it('the newest of several wins, in whatever order they come', () => {
    expect(patchRows([row('a')], [change('a', 3, 'released'), change('a', 2, 'sent')]).rows[0]).toMatchObject({
      state: 'released',
      version: 3,
    })
  })
  it('forgets the old state’s words and actions', () => {
    const patched = patchRows([row('a', { state_text: '暂存', actions: ['declare'] })], [change('a', 2)]).rows[0]
    expect(patched).toMatchObject({ state_text: undefined, actions: undefined })
  })
})

describe('a second look', () => {
  it('brings what the event did not tell, without moving a row', () => {
    const told = patchRows([row('a', { return_info: '旧' }), row('b')], [change('a', 2, 'rejected')]).rows
    expect(told[0]).toMatchObject({ return_info: null })
    const merged = mergeRows(told, [
      row('z'),
      row('b', { version: 0, state: 'old' }),
      row('a', { version: 2, state: 'rejected', return_info: '新' }),
    ])
    expect(merged.map((r) => [r.id, r.state, r.return_info])).toEqual([
      ['a', 'rejected', '新'],
      ['b', 'draft', null],
    ])
  })
})

describe('rows on the glass', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  it('flash once, then rest', () => {
    const rows = shallowRef<DocumentRow[]>([row('a')])
    const patches = inComponent(() => useRowPatches(rows))
    patches.take([change('a', 2)])
    expect([...patches.flashing]).toEqual(['a'])
    vi.advanceTimersByTime(2000)
    expect([...patches.flashing]).toEqual([])
  })
  it('a change that overtook the answer of a query is not undone by it', () => {
    const rows = shallowRef<DocumentRow[]>([])
    const patches = inComponent(() => useRowPatches(rows))
    patches.take([change('a', 3, 'released')])
    patches.show([row('a', { version: 2, state: 'sent' })])
    expect(rows.value[0]).toMatchObject({ state: 'released', version: 3 })
    patches.show([row('a', { version: 4, state: 'draft' })])
    expect(rows.value[0]).toMatchObject({ state: 'draft', version: 4 })
  })
})

describe('what an action did', () => {
  it('is seen at once, in place; what was deleted goes', () => {
    const rows = shallowRef<DocumentRow[]>([row('a'), row('b')])
    const patches = inComponent(() => useRowPatches(rows))
    patches.acted([{ id: 'a', ok: true, state: 'sent' }], new Map([['a', 1]]))
    patches.deleted(['b'])
    expect(rows.value.map((r) => [r.id, r.state])).toEqual([['a', 'sent']])
  })
  it('never turns back a row that live events have taken further before the answer came', () => {
    const rows = shallowRef<DocumentRow[]>([row('a')])
    const patches = inComponent(() => useRowPatches(rows))
    patches.take([change('a', 4, 'released')])
    patches.acted([{ id: 'a', ok: true, state: 'sent' }], new Map([['a', 1]]))
    expect(rows.value[0]).toMatchObject({ state: 'released', version: 4 })
  })
})

describe('the selection', () => {
  it('lasts across pages and follows live changes', () => {
    const selection = useSelection()
    selection.toggleAll([row('a'), row('b')])
    selection.toggle(row('c'))
    expect(selection.rows.value.map((r) => r.id)).toEqual(['a', 'b', 'c'])
    selection.follow([change('c', 2, 'released')])
    expect(selection.picked.get('c')?.state).toBe('released')
    selection.toggleAll([row('a'), row('b')])
    expect(selection.rows.value.map((r) => r.id)).toEqual(['c'])
  })
})
