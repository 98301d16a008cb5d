// Which pages exist: their ids as people and tests name them, their place in the menu, and what they preset.
// No labels of documents here: those come from the kind's declaration.

export interface QueryPreset {
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
  view: 'query' | 'import' | 'keys' | 'clients'
  kind?: string
  preset?: QueryPreset
  tradeMode?: string
  permission?: string
  /** only for those who act for clients */
  broker?: boolean
}

export const PAGES: readonly PageDef[] = [
  {
    id: 'A5-import',
    path: '/orders/9710/import',
    title: 'pages.a5import',
    view: 'import',
    kind: 'order',
    tradeMode: '9710',
    permission: 'document.import',
  },
  {
    id: 'A5-declare',
    path: '/orders/9710/declare',
    title: 'pages.a5declare',
    view: 'query',
    kind: 'order',
    preset: { settled: 'false', fixed: { orderType: 'B' }, action: 'declare' },
    permission: 'document.declare',
  },
  {
    id: 'A5-query',
    path: '/orders/9710/query',
    title: 'pages.a5query',
    view: 'query',
    kind: 'order',
    preset: { fixed: { orderType: 'B' } },
    permission: 'document.read',
  },
  {
    id: 'A6-import',
    path: '/bookings/9810/import',
    title: 'pages.a6import',
    view: 'import',
    kind: 'booking',
    tradeMode: '9810',
    permission: 'document.import',
  },
  {
    id: 'A6-declare',
    path: '/bookings/9810/declare',
    title: 'pages.a6declare',
    view: 'query',
    kind: 'booking',
    preset: { settled: 'false', action: 'declare' },
    permission: 'document.declare',
  },
  {
    id: 'A6-query',
    path: '/bookings/9810/query',
    title: 'pages.a6query',
    view: 'query',
    kind: 'booking',
    permission: 'document.read',
  },
  {
    id: 'A1',
    path: '/orders/open',
    title: 'pages.a1',
    view: 'query',
    kind: 'order',
    preset: { settled: 'false' },
    permission: 'document.read',
  },
  {
    id: 'A2',
    path: '/orders/settled',
    title: 'pages.a2',
    view: 'query',
    kind: 'order',
    preset: { settled: 'true' },
    permission: 'document.read',
  },
  { id: 'keys', path: '/settings/keys', title: 'pages.keys', view: 'keys', permission: 'key.read' },
  { id: 'clients', path: '/clients', title: 'pages.clients', view: 'clients', broker: true },
]

export interface MenuLeaf {
  page: string
  label: string
}
export interface MenuBranch {
  id: string
  label: string
  icon: MenuIcon
  leaves: MenuLeaf[]
}
export type MenuIcon = 'clients' | 'order' | 'booking' | 'open' | 'settled' | 'keys'
export interface MenuGroup {
  id: string
  label: string
  entries: (MenuBranch | (MenuLeaf & { icon: MenuIcon }))[]
}

export const MENU: readonly MenuGroup[] = [
  { id: 'broker', label: 'menu.broker', entries: [{ page: 'clients', label: 'menu.clients', icon: 'clients' }] },
  {
    id: 'A',
    label: 'menu.trade',
    entries: [
      {
        id: 'a5',
        label: 'menu.a5',
        icon: 'order',
        leaves: [
          { page: 'A5-import', label: 'menu.import' },
          { page: 'A5-declare', label: 'menu.declare' },
          { page: 'A5-query', label: 'menu.query' },
        ],
      },
      {
        id: 'a6',
        label: 'menu.a6',
        icon: 'booking',
        leaves: [
          { page: 'A6-import', label: 'menu.bookingImport' },
          { page: 'A6-declare', label: 'menu.bookingDeclare' },
          { page: 'A6-query', label: 'menu.bookingQuery' },
        ],
      },
      { page: 'A1', label: 'menu.open', icon: 'open' },
      { page: 'A2', label: 'menu.settled', icon: 'settled' },
    ],
  },
  { id: 'H', label: 'menu.settings', entries: [{ page: 'keys', label: 'menu.keys', icon: 'keys' }] },
]

export const pageById = (id: string): PageDef | undefined => PAGES.find((p) => p.id === id)

/** The import and declare pages that belong to the same branch of the menu, for "go to …" links. */
export function siblingPage(kind: string, view: 'import' | 'declare', tradeMode?: string): PageDef | undefined {
  const fits = (p: PageDef) =>
    p.kind === kind && (view === 'import' ? p.view === 'import' : p.preset?.action === 'declare')
  return PAGES.find((p) => fits(p) && (!tradeMode || p.path.includes(`/${tradeMode}/`))) ?? PAGES.find(fits)
}
