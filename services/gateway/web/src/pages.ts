// Which pages exist beside those the kinds declare, and what a page presets. A declared page (C5 …) needs no line here:
// its kind, title, group and states come with GET /kinds; what stands here is only what differs from a plain query page.
import type { KindBrief, Label, PageGroup, PageSet } from '@/api/types'

export interface QueryPreset {
  /** id of the declared page: the server knows its states, too */
  page?: string
  /** the only states this page is about; none = all */
  states?: readonly string[]
  settled?: 'true' | 'false'
  /** condition values that always apply; used only where the kind declares the condition */
  fixed?: Record<string, string>
  /** the page for this action: its states are preset and its button stands first */
  action?: string
}
export interface PageDef {
  id: string
  path: string
  title: string
  view:
    | 'dashboard'
    | 'query'
    | 'import'
    | 'tasks'
    | 'taskDocuments'
    | 'keys'
    | 'agents'
    | 'signingQueue'
    | 'ledger'
    | 'clients'
  kind?: string
  preset?: QueryPreset
  tradeMode?: string
  permission?: string
  /** only for those who act for clients */
  broker?: boolean
}

/** The three pages of a kind that a guide treats as one (A5, A6). */
const branch = (id: string, path: string, kind: string, title: string, mode: string, fixed = {}): PageDef[] => [
  {
    id: `${id}-import`,
    path: `${path}/import`,
    title: `${title}import`,
    view: 'import',
    kind,
    tradeMode: mode,
    permission: 'document.import',
  },
  {
    id: `${id}-declare`,
    path: `${path}/declare`,
    title: `${title}declare`,
    view: 'query',
    kind,
    preset: { settled: 'false', fixed, action: 'declare' },
    permission: 'document.declare',
  },
  {
    id: `${id}-query`,
    path: `${path}/query`,
    title: `${title}query`,
    view: 'query',
    kind,
    preset: { fixed },
    permission: 'document.read',
  },
]

export const PAGES: readonly PageDef[] = [
  { id: 'dashboard', path: '/dashboard', title: 'pages.dashboard', view: 'dashboard', permission: 'document.read' },
  ...branch('A5', '/orders/9710', 'order', 'pages.a5', '9710', { orderType: 'B' }),
  ...branch('A6', '/bookings/9810', 'booking', 'pages.a6', '9810'),
  { id: 'A7', path: '/tasks', title: 'pages.a7', view: 'tasks', permission: 'document.import' },
  { id: 'A8', path: '/task-documents', title: 'pages.a8', view: 'taskDocuments', permission: 'document.import' },
  { id: 'keys', path: '/settings/keys', title: 'pages.keys', view: 'keys', permission: 'key.read' },
  { id: 'agents', path: '/settings/agents', title: 'pages.agents', view: 'agents', permission: 'agent.read' },
  {
    id: 'signing-queue',
    path: '/signing-queue',
    title: 'pages.signingQueue',
    view: 'signingQueue',
    permission: 'key.read',
  },
  { id: 'ledger', path: '/settings/ledger', title: 'pages.ledger', view: 'ledger', permission: 'audit.read' },
  { id: 'clients', path: '/clients', title: 'pages.clients', view: 'clients', broker: true },
]

/** Declared pages that are no query page: where they lead instead. */
const ELSEWHERE: Record<string, { path: string; permission: string }> = {
  C1: { path: '/documents/list/new', permission: 'document.write' },
  C2: { path: '/import/list', permission: 'document.import' },
}
/** Declared pages that stand in the menu as a branch of their own. */
const BRANCHES: Record<string, string> = { A5: 'menu.a5', A6: 'menu.a6' }

export const pageById = (id: string): PageDef | undefined => PAGES.find((p) => p.id === id)
export const pagePath = (id: string): string => pageById(id)?.path ?? ELSEWHERE[id]?.path ?? `/pages/${id}`
export const importPath = (kind: string): string => `/import/${kind}`
export const formPath = (kind: string, id?: string): string =>
  id ? `/documents/${kind}/${id}/edit` : `/documents/${kind}/new`
/** A new document on a page of one trade mode: the form begins with the strategy of that mode. */
export const newPath = (kind: string, mode = ''): string => `${formPath(kind)}${mode ? `?mode=${mode}` : ''}`
export const detailPath = (kind: string, id: string): string => `/documents/${kind}/${id}`

/** The declared page that an address which is no query page belongs to. */
export const pageAt = (path: string): string | undefined =>
  Object.keys(ELSEWHERE).find((id) => ELSEWHERE[id]?.path === path)

/** What a declared page presets. */
export const presetOf = (page: PageSet): QueryPreset =>
  page.states.length ? { page: page.id, states: page.states } : { page: page.id }

export interface MenuLeaf {
  page: string
  path: string
  label: Label | string
  permission: string
  broker?: boolean
}
export interface MenuBranch {
  id: string
  label: string
  leaves: MenuLeaf[]
}
export type MenuEntry = MenuLeaf | MenuBranch
export interface MenuGroup {
  id: string
  label: string
  entries: MenuEntry[]
}
export const isBranch = (entry: MenuEntry): entry is MenuBranch => 'leaves' in entry

const GROUPS: { id: PageGroup; label: string }[] = [
  { id: 'trade', label: 'menu.trade' },
  { id: 'logistics', label: 'menu.logistics' },
  { id: 'lists', label: 'menu.lists' },
  { id: 'returns', label: 'menu.returns' },
  { id: 'summary', label: 'menu.summary' },
]
const own = (id: string, label: string): MenuLeaf => {
  const page = pageById(id)
  return { page: id, path: page?.path ?? '/', label, permission: page?.permission ?? '', broker: page?.broker }
}
const order = (id: string): number => Number(/\d+/.exec(id)?.[0] ?? 0)

function entryOf(page: PageSet): MenuEntry {
  const label = BRANCHES[page.id]
  if (label)
    return {
      id: page.id.toLowerCase(),
      label,
      leaves: ['import', 'declare', 'query'].map((what) =>
        own(
          `${page.id}-${what}`,
          `menu.${page.id === 'A6' ? `booking${what[0]?.toUpperCase()}${what.slice(1)}` : what}`,
        ),
      ),
    }
  return {
    page: page.id,
    path: pagePath(page.id),
    label: page.title,
    permission: ELSEWHERE[page.id]?.permission ?? 'document.read',
  }
}

/** The menu: declared pages in their groups, in the order of their numbers, and the pages that belong to no kind. */
export function menuOf(kinds: readonly KindBrief[]): MenuGroup[] {
  const declared = kinds.flatMap((kind) => kind.page_sets)
  const groups = GROUPS.map(({ id, label }) => {
    const pages = declared.filter((page) => page.group === id).sort((a, b) => order(a.id) - order(b.id))
    const entries = pages.map(entryOf)
    if (id === 'trade' && entries.length) entries.push(own('A7', 'menu.tasks'), own('A8', 'menu.taskDocuments'))
    return { id, label, entries }
  })
  return [
    { id: 'broker', label: 'menu.broker', entries: [own('clients', 'menu.clients')] },
    ...groups,
    {
      id: 'settings',
      label: 'menu.settings',
      entries: [
        own('signing-queue', 'menu.signingQueue'),
        own('keys', 'menu.keys'),
        own('agents', 'menu.agents'),
        own('ledger', 'menu.ledger'),
      ],
    },
  ]
}

/** The page of that id among the declared ones, and its kind. */
export function declaredPage(kinds: readonly KindBrief[], id: string): { kind: string; page: PageSet } | undefined {
  for (const kind of kinds) {
    const page = kind.page_sets.find((one) => one.id === id)
    if (page) return { kind: kind.kind, page }
  }
  return undefined
}

/** Where documents of a kind are imported and declared, for "go to …" links. */
export function siblingPath(kind: string, view: 'import' | 'declare', kinds: readonly KindBrief[], mode = ''): string {
  const fits = (p: PageDef) =>
    p.kind === kind && (view === 'import' ? p.view === 'import' : p.preset?.action === 'declare')
  const special = PAGES.find((p) => fits(p) && (!mode || p.tradeMode === mode || p.path.includes(`/${mode}/`)))
  if (special) return special.path
  if (view === 'import') return importPath(kind)
  const pages = kinds.find((one) => one.kind === kind)?.page_sets.filter((page) => page.entry) ?? []
  const last = pages.filter((page) => !ELSEWHERE[page.id]).at(-1)
  return last ? pagePath(last.id) : `/documents/${kind}`
}
