import { readdirSync, readFileSync } from 'node:fs'

/** Returns the numbers of every process below `pid`, at this moment (Linux). */
export function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(Number(name))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const below = (root: number): number[] =>
    (children.get(root) ?? []).flatMap((child) => [child, ...below(child)])
  return below(pid)
}

/** Returns the parent of a process; undefined when it has ended. */
export function parentOf(pid: number): number | undefined {
  try {
    // The fourth field; the second, the name, may hold blanks and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    // It has ended.
    return undefined
  }
}
