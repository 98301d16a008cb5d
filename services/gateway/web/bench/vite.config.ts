// Builds the pages of `make bench-web`, with the plugins and settings of the real ones. Never part of dist/.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import AutoImport from 'unplugin-auto-import/vite'
import Components from 'unplugin-vue-components/vite'
import { defineConfig } from 'vite'
import pages from '../vite.config.ts'

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [
    vue(),
    AutoImport({ resolvers: [ElementPlusResolver()], dts: false }),
    Components({ dirs: [], resolvers: [ElementPlusResolver()], dts: false }),
  ],
  resolve: pages.resolve,
  define: pages.define,
  build: pages.build,
})
