// Holds the first load of any page to its size: a build that goes over it fails and says by how much.
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Plugin, Rollup } from 'vite'

/** kB of JavaScript, gzipped, that opening one page may cost */
const LIMIT = 350

export function budget(): Plugin {
  return {
    name: 'first-load-budget',
    apply: 'build',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((one): one is Rollup.OutputChunk => one.type === 'chunk')
      const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]))
      const sizes = new Map(chunks.map((chunk) => [chunk.fileName, gzipSync(chunk.code).length / 1000]))
      const withImports = (chunk: Rollup.OutputChunk | undefined, found: Set<string>): Set<string> => {
        if (!chunk || found.has(chunk.fileName)) return found
        found.add(chunk.fileName)
        chunk.imports.forEach((name) => withImports(byName.get(name), found))
        return found
      }
      const pages: Record<string, number> = {}
      const shared = chunks.filter((chunk) => chunk.isEntry || chunk.name === 'AppFrame')
      for (const page of chunks.filter((chunk) => chunk.isDynamicEntry)) {
        const found = new Set<string>()
        ;[...shared, page].forEach((chunk) => withImports(chunk, found))
        const total = [...found].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0)
        pages[page.name] = total
        if (total > LIMIT)
          this.error(`${page.name}: first load is ${total.toFixed(0)} kB of JavaScript (gzip), allowed are ${LIMIT}`)
      }
      // for `make bench-web`, which keeps the figures
      if (process.env.FIRST_LOAD) writeFileSync(process.env.FIRST_LOAD, JSON.stringify(pages))
    },
  }
}
