// Holds the first load of any page to its size: a build that goes over it fails and says by how much. What a page fetches
// once it is on the glass (the plots) is no part of its first load and has a limit of its own.
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { Plugin, Rollup } from 'vite'

/** kB of JavaScript, gzipped, that opening one page may cost */
const LIMIT = 350
/** kB, gzipped, that a part fetched later may add to it */
const PART_LIMIT = 200

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
      const shared = new Set<string>()
      chunks
        .filter((chunk) => chunk.isEntry || chunk.name === 'AppFrame')
        .forEach((chunk) => withImports(chunk, shared))
      const sum = (names: Iterable<string>) => [...names].reduce((total, name) => total + (sizes.get(name) ?? 0), 0)
      // pages are what the routes fetch, and the routes are in the entry
      const pages = new Set([...shared].flatMap((name) => byName.get(name)?.dynamicImports ?? []))
      const firstLoads: Record<string, number> = {}
      for (const chunk of chunks.filter((one) => one.isDynamicEntry)) {
        const page = pages.has(chunk.fileName)
        const own = withImports(chunk, new Set(page ? shared : []))
        if (!page) shared.forEach((name) => own.delete(name))
        const [total, limit] = [sum(own), page ? LIMIT : PART_LIMIT]
        if (page) firstLoads[chunk.name] = total
        if (total > limit)
          this.error(
            `${chunk.name}: ${page ? 'first load is' : 'this part adds'} ${total.toFixed(0)} kB of JavaScript (gzip), allowed are ${limit}`,
          )
      }
      // for `make bench-web`, which keeps the figures
      if (process.env.FIRST_LOAD) writeFileSync(process.env.FIRST_LOAD, JSON.stringify(firstLoads))
    },
  }
}
