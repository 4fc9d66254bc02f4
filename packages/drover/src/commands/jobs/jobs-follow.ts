import type { JobsClient, JobView } from '@drover/jobs'
import { paint, say } from '../../terminal.ts'

const ended: ReadonlySet<string> = new Set(['done', 'dead', 'cancelled'])

/** Cells of the bar. */
const width = 24

/** What the line of progress is written to. */
interface Terminal {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/**
 * Shows jobs as they change. With a `total`, only how each ends, and on a terminal a bar below; then
 * returns how many did not end well.
 */
export async function follow(
  client: Pick<JobsClient, 'watch'>,
  batch?: string,
  total?: number,
  terminal: Terminal = process.stderr,
): Promise<number> {
  const states = new Map<string, string>()
  for await (const job of client.watch(batch)) {
    const before = states.get(job.id)
    states.set(job.id, job.state)
    const isNews = total === undefined || (ended.has(job.state) && before !== job.state)
    if (terminal.isTTY) terminal.write('\r\x1b[K')
    if (isNews) say(lineOf(job))
    if (total !== undefined && terminal.isTTY) terminal.write(bar(states, total))
  }
  if (terminal.isTTY) terminal.write('\r\x1b[K')
  const endings = [...states.values()].filter((state) => ended.has(state))
  return endings.filter((state) => state !== 'done').length
}

/** Returns one line about a job. */
export function lineOf({ id, type, state, url, reason }: JobView): string {
  const shown = state === 'dead' ? paint('red', state) : state
  return [id, type, shown, url, ...(reason === undefined ? [] : [reason.message])].join('  ')
}

function bar(states: ReadonlyMap<string, string>, total: number): string {
  const all = [...states.values()]
  const over = all.filter((state) => ended.has(state)).length
  const count = (state: string) => all.filter((one) => one === state).length
  const full = Math.floor((over * width) / Math.max(1, total))
  const cells = '█'.repeat(full) + '░'.repeat(width - full)
  return `${cells} ${over}/${total}, ${count('dead')} dead, ${count('working')} under way`
}
