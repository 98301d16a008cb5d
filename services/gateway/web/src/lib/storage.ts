// What the browser remembers between visits. Storage may be switched off or full: then the page simply forgets.

export function readText(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null // storage is forbidden by the browser's settings
  }
}

export function writeText(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key)
    else localStorage.setItem(key, value)
  } catch {
    // forbidden or full: a remembered column set is not worth an error
  }
}

export function readJson<T>(key: string, fallback: T): T {
  const text = readText(key)
  if (!text) return fallback
  try {
    return JSON.parse(text) as T
  } catch {
    return fallback // written by another version
  }
}

/** The same for as long as the window lives: what a reload must find again, and another window must not. */
export function readWindow<T>(key: string, fallback: T): T {
  try {
    return (JSON.parse(sessionStorage.getItem(key) ?? 'null') as T | null) ?? fallback
  } catch {
    return fallback // forbidden, or written by another version
  }
}
export function writeWindow(key: string, value: unknown): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(value))
  } catch {
    // forbidden or full: after a reload the page one is on is open, and no other
  }
}

export const writeJson = (key: string, value: unknown): void => writeText(key, JSON.stringify(value))
