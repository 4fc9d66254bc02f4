import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from '../harness/project.ts'

/** What is made, not written. */
const made = new Set(['node_modules', 'dist', '.git', '.drover', 'coverage', 'reports', 'release'])

/** A file that somebody wrote. */
export interface SourceFile {
  /** From the project's folder on, with `/`. */
  readonly path: string
  readonly text: string
}

/** Returns every text file of the project whose path `wanted` accepts. */
export function filesWhere(wanted: (path: string) => boolean): SourceFile[] {
  return pathsIn(root)
    .filter(wanted)
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

function pathsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (made.has(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return pathsIn(path)
    return entry.isFile() ? [relative(root, path)] : []
  })
}

/** Returns the names of the folders in `folder`. */
export function foldersIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !made.has(entry.name))
    .map((entry) => entry.name)
    .sort()
}

/** Returns a JSON file of the project. */
export function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(root, path), 'utf8'))
}
