// What is typed and not saved: kept for its owner alone, for a week, and never without bounds.
import { beforeEach, describe, expect, it } from 'vitest'
import {
  cleanDrafts,
  draftKey,
  draftPlace,
  draftsAt,
  forgetDraft,
  keepDraft,
  LONGEST,
  MOST,
  newDraftId,
  readDraft,
  type Draft,
  type Owner,
} from '@/lib/drafts'

const NOW = new Date('2026-11-20T07:04:00Z')
const LI = { tenant: 't', user: 'li' }
const draft = (more: Partial<Draft> = {}): Draft => ({
  at: NOW.toISOString(),
  version: 1,
  base: null,
  head: { worth: '64.99500' },
  lines: [],
  ...more,
})
const at = (owner: Owner, kind: string, where: string, id = '1') => draftKey(draftPlace(owner, kind, where), id)
beforeEach(() => localStorage.clear())

describe('a draft', () => {
  it('is found again as it was typed, by its owner for that document alone', () => {
    expect(keepDraft(at(LI, 'order', 'a'), draft())).toBe(true)
    expect(readDraft(at(LI, 'order', 'a'), NOW)?.head.worth).toBe('64.99500')
    for (const key of [
      at({ ...LI, tenant: 'client' }, 'order', 'a'),
      at({ ...LI, user: 'wang' }, 'order', 'a'),
      at(LI, 'booking', 'a'),
      at(LI, 'order', 'new'),
    ])
      expect(readDraft(key, NOW)).toBeNull()
  })
  it('is one of several at its place, each with a name of its own', () => {
    const place = draftPlace(LI, 'order', 'new')
    const ids = [newDraftId(), newDraftId()]
    ids.forEach((id) => keepDraft(draftKey(place, id), draft()))
    keepDraft(at(LI, 'order', 'new2'), draft())
    expect(draftsAt(place).sort()).toEqual(ids.map((id) => draftKey(place, id)).sort())
    expect(draftsAt(draftPlace({ ...LI, user: 'wang' }, 'order', 'new'))).toEqual([])
  })
  it('names cannot run into each other', () => {
    expect(at({ tenant: 'a/b', user: 'c' }, 'k', 'x')).not.toBe(at({ tenant: 'a', user: 'b/c' }, 'k', 'x'))
  })
  it('goes when it is forgotten, after a week, and when somebody else signs in', () => {
    const [mine, other, old] = ['a', 'b', 'c'].map((id) => at(LI, 'order', id)) as [string, string, string]
    keepDraft(mine, draft())
    keepDraft(other, draft())
    keepDraft(old, draft({ at: '2026-11-13T07:00:00Z' }))
    expect(readDraft(old, NOW)).toBeNull()
    forgetDraft(other)
    expect(readDraft(other, NOW)).toBeNull()
    localStorage.setItem('tongguan.other', 'stays')
    cleanDrafts('li', NOW)
    expect(readDraft(mine, NOW)).not.toBeNull()
    cleanDrafts('wang', NOW)
    expect(Object.keys(localStorage)).toEqual(['tongguan.other'])
  })
  it('is refused where it is too long, and the oldest make room', () => {
    expect(keepDraft(at(LI, 'order', 'big'), draft({ head: { note: 'x'.repeat(LONGEST) } }))).toBe(false)
    for (let n = 0; n <= MOST; n++)
      keepDraft(at(LI, 'order', `${n}`), draft({ at: new Date(NOW.getTime() + n * 1000).toISOString() }))
    expect(Object.keys(localStorage)).toHaveLength(MOST)
    expect(readDraft(at(LI, 'order', '0'), NOW)).toBeNull()
    expect(readDraft(at(LI, 'order', `${MOST}`), NOW)).not.toBeNull()
  })
  it('of another version of the pages is none', () => {
    localStorage.setItem(at(LI, 'order', 'a'), '{"at":')
    expect(readDraft(at(LI, 'order', 'a'), NOW)).toBeNull()
  })
})
