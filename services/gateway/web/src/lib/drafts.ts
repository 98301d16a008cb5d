// What is typed and not saved yet, kept in this browser until it is: a crash loses nothing. Kept for one person acting
// for one tenant; nobody else is shown it, and another person who signs in here ends it. Old ones go after a week.
import type { Content } from './merge'
import { randomHex } from './random'
import { readText, writeText } from './storage'

export interface Owner {
  tenant: string
  user: string
}
export interface Draft extends Content {
  /** when the last of it was typed */
  at: string
  /** of the stored document it began from; null = of none */
  version: number | null
  base: Content | null
}

const PREFIX = 'tongguan.draft/'
export const KEPT_DAYS = 7
/** characters of one draft, and how many there may be */
export const LONGEST = 1_500_000
export const MOST = 20

/** where: the document's id, or "new". */
export const draftPlace = (owner: Owner, kind: string, where: string): string =>
  PREFIX + [owner.tenant, owner.user, kind, where].map(encodeURIComponent).join('/')
/** Of the drafts at a place each open form keeps one. */
export const draftKey = (place: string, id: string): string => `${place}/${encodeURIComponent(id)}`
export const newDraftId = (): string => randomHex(8)
export const draftsAt = (place: string): string[] => keys().filter((key) => key.startsWith(`${place}/`))

export function readDraft(key: string, now: Date = new Date()): Draft | null {
  const found = parse(readText(key))
  return found && !isOld(found, now) ? found : null
}
/** False where it is too long to be kept, or the browser keeps nothing. */
export function keepDraft(key: string, draft: Draft): boolean {
  const text = JSON.stringify(draft)
  if (text.length > LONGEST) return false
  if (readText(key) === null) makeRoom(MOST - 1)
  writeText(key, text)
  return readText(key) === text
}
export const forgetDraft = (key: string): void => writeText(key, null)

/** At the beginning of a session: what is too old goes, and what somebody else typed here. */
export function cleanDrafts(user: string, now: Date = new Date()): void {
  for (const key of keys()) {
    const found = parse(readText(key))
    const theirs = key.slice(PREFIX.length).split('/')[1] !== encodeURIComponent(user)
    if (!found || theirs || isOld(found, now)) writeText(key, null)
  }
}

function makeRoom(most: number): void {
  const dated = keys().map((key) => ({ key, at: parse(readText(key))?.at ?? '' }))
  dated.sort((a, b) => (a.at < b.at ? 1 : -1))
  for (const { key } of dated.slice(most)) writeText(key, null)
}
function keys(): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX))
  } catch {
    return [] // storage is forbidden by the browser's settings
  }
}
const isOld = (draft: Draft, now: Date): boolean => !(now.getTime() - Date.parse(draft.at) < KEPT_DAYS * 24 * 3600_000)

function parse(text: string | null): Draft | null {
  if (!text) return null
  try {
    const found = JSON.parse(text) as Draft
    return typeof found.at === 'string' && found.head && Array.isArray(found.lines) ? found : null
  } catch {
    return null // written by another version
  }
}
