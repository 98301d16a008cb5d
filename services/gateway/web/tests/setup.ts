// jsdom lacks what Element Plus asks for when it lays out; nothing of ours is replaced here.
class NoObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}
globalThis.ResizeObserver ??= NoObserver as unknown as typeof ResizeObserver
Element.prototype.scrollIntoView ??= () => undefined
