// Starts the pages: who are we, then the router. Nothing else belongs here.
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n } from './locales'
import { router } from './router'
import { useSession } from './stores/session'
import 'element-plus/theme-chalk/dark/css-vars.css'
import './styles/tokens.css'
import './styles/base.css'

const app = createApp(App).use(createPinia()).use(i18n)

async function start(): Promise<void> {
  try {
    await useSession().restore()
  } catch {
    // the server is down or refuses: the sign-in page opens and says so as soon as one tries
  }
  app.use(router).mount('#app')
}
void start()
