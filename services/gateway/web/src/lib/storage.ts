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

export const writeJson = (key: string, value: unknown): void => writeText(key, JSON.stringify(value))
