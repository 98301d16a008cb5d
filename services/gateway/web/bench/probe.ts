// From a key to the paint of what it did: from the key event's own time stamp (so that waiting for a busy page counts) to
// the first task after the next frame. requestAnimationFrame runs before a frame is laid out and painted; a message posted
// there is delivered after it.

const taken: number[] = []
let waiting: (() => void) | null = null

export function startProbe(): void {
  window.addEventListener(
    'keydown',
    (event) => {
      requestAnimationFrame(() => {
        const channel = new MessageChannel()
        channel.port1.onmessage = () => {
          taken.push(performance.now() - event.timeStamp)
          waiting?.()
          waiting = null
        }
        channel.port2.postMessage(null)
      })
    },
    true,
  )
}

const idle = () => new Promise<void>((done) => requestIdleCallback(() => done(), { timeout: 5_000 }))
const frame = () => new Promise<void>((done) => requestAnimationFrame(() => done()))

/** Milliseconds of the key that was pressed last; not before the page is at rest again. */
export async function last(): Promise<number> {
  if (!taken.length) await new Promise<void>((done) => (waiting = done))
  const found = taken.pop() as number
  taken.length = 0
  await frame()
  await idle()
  await frame()
  return found
}
