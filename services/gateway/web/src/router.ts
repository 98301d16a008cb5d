// Addresses of the pages. Every page is loaded when it is first opened; only signed-in people pass.
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { PAGES, pageById } from './pages'
import { useSession } from './stores/session'

const VIEWS = {
  query: () => import('./pages/query/QueryPage.vue'),
  import: () => import('./pages/import/ImportPage.vue'),
  keys: () => import('./pages/keys/KeysPage.vue'),
  clients: () => import('./pages/clients/ClientsPage.vue'),
}

const inside: RouteRecordRaw[] = PAGES.map((page) => ({
  path: page.path,
  name: page.id,
  component: VIEWS[page.view],
  meta: { page: page.id, title: page.title },
}))

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
        { path: '/documents/:kind', name: 'query', component: VIEWS.query, meta: { title: 'pages.query' } },
        {
          path: '/documents/:kind/:id',
          name: 'detail',
          component: () => import('./pages/detail/DetailPage.vue'),
          meta: { title: 'pages.detail' },
        },
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

/** The page to open when no address was asked for. */
export function homePath(): string {
  const session = useSession()
  if (session.mustChooseClient) return '/clients'
  return session.may('document.read') ? (pageById('A1')?.path ?? '/') : session.may('key.read') ? '/settings/keys' : '/'
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
