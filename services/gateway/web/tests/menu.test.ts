// Which pages there are and where they lead.
import { describe, expect, it } from 'vitest'
import { declaredPage, isBranch, menuOf, presetOf, siblingPath } from '@/pages'
import { neighbour } from '@/stores/tabs'
import { BRIEFS } from './support'

describe('tabs and pages', () => {
  const tabs = ['/a', '/b', '/c'].map((path) => ({ path, fullPath: path, title: path }))
  it('closing shows the right neighbour, else the left', () => {
    expect([neighbour(tabs, '/b')?.path, neighbour(tabs, '/c')?.path, neighbour([tabs[0]!], '/a')]).toEqual([
      '/c',
      '/b',
      null,
    ])
  })
  it('the menu follows the declared pages, by group and number', () => {
    const menu = menuOf(BRIEFS)
    const ids = (group: string) =>
      menu.find((one) => one.id === group)?.entries.map((entry) => (isBranch(entry) ? entry.id : entry.page))
    expect(ids('trade')).toEqual(['A1', 'a5', 'a6', 'A7', 'A8'])
    expect(ids('logistics')).toEqual(['B3', 'B10'])
    expect(ids('returns')).toEqual([])
    expect(menuOf([]).find((one) => one.id === 'trade')?.entries).toEqual([])
  })
  it('some declared pages are a form or an import instead of a list', () => {
    const path = (id: string) =>
      menuOf(BRIEFS)
        .flatMap((group) => group.entries)
        .find((entry) => !isBranch(entry) && entry.page === id)
    expect([path('C1'), path('C2'), path('C3')].map((one) => one && 'path' in one && one.path)).toEqual([
      '/documents/list/new',
      '/import/list',
      '/pages/C3',
    ])
  })
  it('a declared page presets itself and its states', () => {
    const found = declaredPage(BRIEFS, 'B3')
    expect(found?.kind).toBe('parcel')
    expect(found && presetOf(found.page)).toEqual({ page: 'B3', states: ['draft', 'rejected'] })
    expect(declaredPage(BRIEFS, 'Z9')).toBeUndefined()
  })
  it('import leads to the declare page of the same branch, or to the kind’s own', () => {
    expect(siblingPath('order', 'declare', BRIEFS, '9710')).toBe('/orders/9710/declare')
    expect(siblingPath('booking', 'declare', BRIEFS)).toBe('/bookings/9810/declare')
    expect(siblingPath('parcel', 'import', BRIEFS)).toBe('/import/parcel')
    expect(siblingPath('parcel', 'declare', BRIEFS)).toBe('/pages/B3')
    expect(siblingPath('list', 'declare', BRIEFS)).toBe('/pages/C3')
  })
})
