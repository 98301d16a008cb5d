// Colours stand in tokens.css and nowhere else, and can be read in the light and in the dark.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const SRC = join(__dirname, '../src')
const css = readFileSync(join(SRC, 'styles/tokens.css'), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')

function block(selector: string): Record<string, string> {
  const at = css.indexOf(`${selector} {`)
  const inside = css.slice(css.indexOf('{', at) + 1, css.indexOf('}', at))
  return Object.fromEntries([...inside.matchAll(/--([\w-]+):\s*([^;]+);/g)].map((m) => [m[1]!, m[2]!.trim()]))
}
const light = block(':root')
const dark = { ...light, ...block('html.dark') }

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
function contrast(one: string, other: string): number {
  const [bright, dim] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (bright + 0.05) / (dim + 0.05)
}

/** words -> the grounds they stand on */
const PAIRS: Record<string, string[]> = {
  'tg-ink': ['tg-surface', 'tg-page', 'tg-head', 'tg-hover', 'tg-picked', 'tg-tabs', 'tg-press', 'tg-flash'],
  'tg-ink-2': ['tg-surface', 'tg-page', 'tg-head', 'tg-hover', 'tg-picked', 'tg-tabs', 'tg-tabs-hover', 'tg-grey-bg'],
  'tg-ink-3': ['tg-surface', 'tg-page', 'tg-head'],
  'tg-primary': ['tg-surface', 'tg-page', 'tg-head', 'tg-hover', 'tg-picked'],
  'tg-on-brand': ['tg-brand', 'tg-brand-2', 'tg-side'],
  'tg-on-brand-2': ['tg-brand', 'tg-brand-2', 'tg-side'],
  'tg-on-brand-warn': ['tg-brand'],
  'tg-on-client': ['tg-client', 'tg-client-2'],
  'tg-on-client-2': ['tg-client'],
  'tg-client-warn': ['tg-client-warn-bg'],
  'tg-on-fill': ['tg-primary-fill', 'tg-badge'],
  'tg-grey': ['tg-grey-bg', 'tg-surface'],
  'tg-blue': ['tg-blue-bg', 'tg-surface'],
  'tg-amber': ['tg-amber-bg', 'tg-surface'],
  'tg-green': ['tg-green-bg', 'tg-surface'],
  'tg-red': ['tg-red-bg', 'tg-red-tint', 'tg-surface', 'tg-head'],
  'el-text-color-placeholder': ['tg-surface'],
  'el-text-color-regular': ['tg-surface', 'tg-head'],
}

describe('colours', () => {
  it.each([
    ['light', light],
    ['dark', dark],
  ])('can be read: %s', (_name, tokens) => {
    const pale = Object.entries(PAIRS).flatMap(([words, grounds]) =>
      grounds
        .map((ground) => `${words} on ${ground}: ${contrast(tokens[words]!, tokens[ground]!).toFixed(2)}`)
        .filter((line) => Number(line.split(': ')[1]) < 4.5),
    )
    expect(pale).toEqual([])
  })
  it('are named nowhere but in tokens.css', () => {
    const found = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(vue|css)$/.test(name) && !name.endsWith('tokens.css'))
      .flatMap((name) =>
        [...readFileSync(join(SRC, name), 'utf8').matchAll(/:[^;{]*?(#[0-9a-f]{3,8}\b|\b(?:rgb|hsl)a?\()[^;]*;/gi)].map(
          (match) => `${name}: ${match[0].trim()}`,
        ),
      )
    expect(found).toEqual([])
  })
})
