import { fault } from './errors.ts'

/**
 * Returns a file name that a stranger sent when it is safe to use: no folders, no control characters,
 * not `.` or `..`, at most 200 bytes. Throws NAME_INVALID.
 */
export function checkName(name: string): string {
  const isSafe = name !== '' && name !== '.' && name !== '..' && !/[/\\\p{Cc}]/u.test(name)
  if (isSafe && Buffer.byteLength(name) <= 200) return name
  throw fault(
    'NAME_INVALID',
    `a name has 1 to 200 bytes, no slashes and no control characters: ${JSON.stringify(name.slice(0, 60))}`,
  )
}

/** Returns what names each chunk: `book.txt` has `book.000001.txt`; letter chunks `book.a-c.txt`. */
export function createNamer(
  fileName: string,
  labels?: readonly string[],
): (index: number) => string {
  const dot = fileName.lastIndexOf('.')
  const [stem, ending] = dot > 0 ? [fileName.slice(0, dot), fileName.slice(dot)] : [fileName, '']
  if (!labels) return (index) => `${stem}.${String(index + 1).padStart(6, '0')}${ending}`
  const isTwice = new Set(labels).size < labels.length
  return (index) => `${stem}.${isTwice ? `${index + 1}.` : ''}${labels[index]}${ending}`
}

const endings: Readonly<Record<string, string>> = {
  manifest: 'manifest.ndjson',
  ndjson: 'chunks.ndjson',
  text: 'chunk.txt',
}

/** Returns what a result is called when it is downloaded: `book.txt.zip`. */
export function resultName(fileName: string, output: string): string {
  return `${fileName}.${endings[output] ?? output}`
}
