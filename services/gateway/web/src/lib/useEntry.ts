// Why documents of a kind cannot be entered or imported, in words.
import type { Kind } from '@/api/types'
import { listed, say, t, te } from '@/locales'
import { useSession } from '@/stores/session'
import { noEntry } from './entry'

export function useEntry() {
  const session = useSession()
  const kindWord = (name: string) => (te(`enterprise.${name}`) ? t(`enterprise.${name}`) : name)

  function whyNot(kind: Kind, permission: 'document.write' | 'document.import' | 'document.declare'): string | null {
    const why = noEntry(kind, session.info?.filing.kinds ?? [], session.may(permission))
    if (why === 'received') return t('entry.received', { title: say(kind.title) })
    if (why === 'permission') return t('entry.permission')
    if (why !== 'sender') return null
    return t('entry.sender', { title: say(kind.title), senders: listed((kind.senders ?? []).map(kindWord)) })
  }
  return { whyNot }
}
