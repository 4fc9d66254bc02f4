import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Returns where `program` is installed, or undefined; looks in PATH and where servers usually are. */
export function findProgram(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, program)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false // Not there, or not for us: both mean that the search goes on.
  }
}
