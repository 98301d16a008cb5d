// Which drafts are being typed right now, in whatever window. A lock goes with its window, even when that crashes; a
// browser without locks (or a page that came without TLS) says of each draft that nobody is typing it.

const locks = (): LockManager | null => (typeof navigator !== 'undefined' && navigator.locks) || null

/** Typed from here on, until let go. */
export function hold(key: string): () => void {
  let letGo = () => undefined as void
  const until = new Promise<void>((resolve) => {
    letGo = resolve
  })
  locks()
    ?.request(key, () => until)
    .catch(() => undefined) // the window is going: so is the lock
  return letGo
}

/** Calls back as soon as nobody types it any more, unless told before that it does not matter. */
export function whenFree(key: string, free: () => void, signal: AbortSignal): void {
  const manager = locks()
  if (!manager) return free()
  manager.request(key, { mode: 'shared', signal }, free).catch(() => undefined) // given up, or the window is going
}
