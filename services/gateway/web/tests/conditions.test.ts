import { describe, expect, it } from 'vitest'
import { emptyForm, fromAddress, hasConditions, ownConditions, pageStates, toAddress, toQuery } from '@/lib/conditions'
import { KIND } from './support'

const DECLARE = { settled: 'false', fixed: { flag: 'A' }, action: 'declare' } as const

describe('conditions follow the declaration', () => {
  it('drops what the page fixes and what every page has anyway', () => {
    expect(ownConditions(KIND).map((c) => c.name)).toEqual(['parcelNo', 'flag', 'batch_no', 'left_at'])
    expect(ownConditions(KIND, DECLARE).map((c) => c.name)).toEqual(['parcelNo', 'batch_no', 'left_at'])
  })
  it('offers only the states that can occur on the page', () => {
    expect(pageStates(KIND, { settled: 'true' }).map((s) => s.name)).toEqual(['released'])
    expect(pageStates(KIND, { settled: 'false' }).map((s) => s.name)).toEqual(['draft', 'rejected', 'sent'])
  })
  it('a page for an action starts with the states that allow it', () => {
    expect(emptyForm(KIND, DECLARE).state).toEqual(['draft', 'rejected'])
    expect(emptyForm(KIND).state).toEqual([])
  })
})

describe('the address', () => {
  const filled = {
    ...emptyForm(KIND),
    parcelNo: ' P-1 ',
    stored: ['2026-11-01', '2026-11-20'] as [string, string],
    state: ['draft', 'sent'],
  }
  it('keeps the conditions and gives them back', () => {
    const address = toAddress(KIND, filled)
    expect(address).toEqual({ parcelNo: 'P-1', stored: '2026-11-01~2026-11-20', state: ['draft', 'sent'] })
    expect(fromAddress(KIND, address)).toEqual({ ...filled, parcelNo: 'P-1' })
  })
  it('is empty where nothing differs from the page’s own start', () => {
    expect(toAddress(KIND, emptyForm(KIND, DECLARE), DECLARE)).toEqual({})
    expect(hasConditions(KIND, emptyForm(KIND, DECLARE), DECLARE)).toBe(false)
  })
  it('can say “every state” where the page presets some', () => {
    const address = toAddress(KIND, { ...emptyForm(KIND, DECLARE), state: [] }, DECLARE)
    expect(fromAddress(KIND, address, DECLARE).state).toEqual([])
  })
  it('forgets unknown names, states and broken dates', () => {
    const form = fromAddress(KIND, { nonsense: 'x', state: ['draft', 'zzz'], stored: '2026-11', left_at: 'a~b' })
    expect(form).toEqual({ ...emptyForm(KIND), state: ['draft'] })
  })
})

describe('the question to the API', () => {
  it('has the presets always and the rest where filled in', () => {
    expect(toQuery(KIND, emptyForm(KIND, DECLARE), DECLARE)).toEqual({
      settled: 'false',
      flag: 'A',
      state: 'draft,rejected',
    })
    expect(toQuery(KIND, { ...emptyForm(KIND), batch_no: 'B1', left_at: ['2026-11-01', '2026-11-02'] })).toEqual({
      batch_no: 'B1',
      left_at_from: '2026-11-01T00:00:00+08:00',
      left_at_to: '2026-11-02T23:59:59.999999+08:00',
    })
  })
  it('never asks for a condition the kind does not declare', () => {
    expect(toQuery(KIND, emptyForm(KIND), { fixed: { orderType: 'B' } })).toEqual({})
  })
})
