// Addresses of the pages. Every page is loaded when it is first opened; only signed-in people pass.
import { createRouter, createWebHistory, type RouteLocationNormalized, type RouteRecordRaw } from 'vue-router'
import { PAGES, pagePath } from './pages'
import { useSession } from './stores/session'

const VIEWS = {
  dashboard: () => import('./pages/dashboard/DashboardPage.vue'),
  query: () => import('./pages/query/QueryPage.vue'),
  import: () => import('./pages/import/ImportPage.vue'),
  tasks: () => import('./pages/tasks/TasksPage.vue'),
  taskDocuments: () => import('./pages/tasks/TaskDocumentsPage.vue'),
  keys: () => import('./pages/keys/KeysPage.vue'),
  agents: () => import('./pages/agents/AgentsPage.vue'),
  signingQueue: () => import('./pages/signing/QueuePage.vue'),
  ledger: () => import('./pages/signing/LedgerPage.vue'),
  clients: () => import('./pages/clients/ClientsPage.vue'),
}
const form = () => import('./pages/form/FormPage.vue')

const inside: RouteRecordRaw[] = PAGES.map((page) => ({
  path: page.path,
  name: page.id,
  component: VIEWS[page.view],
  meta: { page: page.id, title: page.title },
}))

/** `/documents/list?page=C5` is the page C5: one page, one tab. */
function declared(to: RouteLocationNormalized) {
  const { page, ...query } = to.query
  return typeof page === 'string' && /^[A-Z]\d+$/.test(page) ? { path: pagePath(page), query } : true
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/signin', name: 'signin', component: () => import('./pages/signin/SignInPage.vue'), meta: { open: true } },
    {
      path: '/',
      component: () => import('./frame/AppFrame.vue'),
      children: [
        {
          path: '',
          name: 'home',
          component: () => import('./pages/home/HomePage.vue'),
          meta: { title: 'pages.home', noTab: true },
        },
        ...inside,
        { path: '/pages/:page', name: 'page', component: VIEWS.query, meta: { title: 'pages.query' } },
        { path: '/import/:kind', name: 'import', component: VIEWS.import, meta: { title: 'pages.import' } },
        {
          path: '/tasks/:task',
          name: 'task',
          component: () => import('./pages/tasks/TaskPage.vue'),
          meta: { title: 'pages.task' },
        },
        {
          path: '/documents/:kind',
          name: 'query',
          component: VIEWS.query,
          meta: { title: 'pages.query' },
          beforeEnter: declared,
        },
        { path: '/documents/:kind/new', name: 'new', component: form, meta: { title: 'pages.new' } },
        {
          path: '/documents/:kind/:id',
          name: 'detail',
          component: () => import('./pages/detail/DetailPage.vue'),
          meta: { title: 'pages.detail' },
        },
        { path: '/documents/:kind/:id/edit', name: 'edit', component: form, meta: { title: 'pages.edit' } },
        {
          path: '/:rest(.*)*',
          name: 'missing',
          component: () => import('./pages/home/MissingPage.vue'),
          meta: { title: 'frame.notFound', noTab: true },
        },
      ],
    },
  ],
})

/** Where each kind of enterprise begins its day; whoever sells, with the orders. */
const FIRST: Record<string, string> = { operator: 'B3', logistics: 'B1', 'logistics-b2b': 'B1', payment: 'A3' }

/** The page to open when no address was asked for. */
export function homePath(): string {
  const session = useSession()
  if (session.mustChooseClient) return '/clients'
  if (!session.may('document.read')) return session.may('key.read') ? '/settings/keys' : '/'
  const readable = session.info?.kinds
  if (readable && !readable.includes('order')) return readable[0] ? `/documents/${readable[0]}` : '/'
  const own = session.info?.filing.kinds ?? []
  const sells = own.some((kind) => kind === 'ecommerce' || kind === 'platform' || kind === 'agent')
  return pagePath((!sells && own.map((kind) => FIRST[kind]).find(Boolean)) || 'A1')
}

router.beforeEach((to) => {
  const session = useSession()
  if (!session.signedIn && !to.meta.open)
    return { name: 'signin', query: to.fullPath === '/' ? {} : { to: to.fullPath } }
  if (session.signedIn && to.name === 'signin') return safeTarget(to.query.to) ?? homePath()
  if (session.mustChooseClient && to.name !== 'clients') return '/clients'
  if (to.name === 'home' && homePath() !== '/') return homePath()
  return true
})

/** Only addresses inside these pages: a link from outside must not choose where a sign-in leads. */
export function safeTarget(value: unknown): string | null {
  return typeof value === 'string' && /^\/(?![/\\])/.test(value) && !value.startsWith('/signin') ? value : null
}

// After an update of the pages, an old window asks for files that are gone: load the new ones once.
router.onError((error, to) => {
  if (!/dynamically imported module|Failed to fetch|Importing a module|Unable to preload/i.test(String(error)))
    throw error
  if (sessionStorage.getItem('tongguan.reloaded') === to.fullPath) return
  sessionStorage.setItem('tongguan.reloaded', to.fullPath)
  window.location.assign(to.fullPath)
})
