// What can be told about a chosen file before it is sent.

export const MOST_BYTES = 20 * 1024 * 1024
export type FileFault = 'type' | 'size' | 'empty' | null

export function fileFault(file: Pick<File, 'name' | 'size'>): FileFault {
  if (!/\.xlsx$/i.test(file.name)) return 'type'
  if (file.size === 0) return 'empty'
  return file.size > MOST_BYTES ? 'size' : null
}

/** 1536 → "1.5 KB" */
export function showSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const kb = bytes / 1024
  return kb < 1024 ? `${kb.toFixed(1)} KB` : `${(kb / 1024).toFixed(1)} MB`
}

/** Hands a file to the browser's downloads. */
export function saveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
