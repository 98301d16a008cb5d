// What a timeline entry's detail says, sorted into what people read and what technicians look for.
import type { TimelineItem } from '@/api/types'

export interface DetailLine {
  key: string
  value: string
}
export interface Told {
  named: DetailLine[]
  other: DetailLine[]
  /** made by a key that no hardware protects; the pages say so plainly */
  software: boolean
  /** customs' code, its words where they say more than the text, and whether the receipt counted */
  status: string
  info: string
  standing: string
}

/** Details with words of their own, in the order of reading; everything else is shown under its own name. */
export const NAMED: Record<string, string> = {
  key_label: 'detail.key',
  device: 'detail.device',
  algorithm: 'detail.algorithm',
  channel: 'detail.channel',
  message_id: 'detail.messageId',
}
const SAID_OTHERWISE = new Set(['hardware', 'status', 'info', 'standing'])

const plain = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''

export function tell(item: TimelineItem): Told {
  const detail = item.detail ?? {}
  const lines = Object.entries(detail)
    .map(([key, value]) => ({ key, value: plain(value) }))
    .filter((line) => line.value && !SAID_OTHERWISE.has(line.key))
  return {
    named: Object.keys(NAMED).flatMap((key) => lines.filter((line) => line.key === key)),
    other: lines.filter((line) => !(line.key in NAMED)),
    software: plain(detail.hardware) === 'false',
    status: plain(detail.status),
    info: item.text.endsWith(plain(detail.info)) ? '' : plain(detail.info),
    standing: plain(detail.standing),
  }
}
