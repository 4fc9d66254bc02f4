import type { JobsClient, JobView } from '@drover/jobs'
import { paint, say } from '../../terminal.ts'

const ended: ReadonlySet<string> = new Set(['done', 'dead', 'cancelled'])

/** Cells of the bar. */
const width = 24

/** What is watched, and how it is shown. */
interface Watched {
  readonly batch?: string | undefined
  /** How many jobs the batch has: then only how each ends is shown, and on a terminal a bar below. */
  readonly total?: number
  /** Returns the line of a job. */
  readonly show: (job: JobView) => string
}

/** Shows jobs as they change; with a `total`, returns how many of them did not end well. */
export async function follow(
  client: Pick<JobsClient, 'watch'>,
  { batch, total, show }: Watched,
): Promise<number> {
  const bar = total === undefined ? undefined : new Bar(total)
  for await (const job of client.watch(batch, total)) {
    bar?.clear()
    if (bar === undefined || bar.note(job)) say(show(job))
    bar?.draw()
  }
  bar?.clear()
  return bar?.failed ?? 0
}

/** How far a batch has come, in one line that is drawn again and again. */
class Bar {
  readonly #terminal = process.stderr
  readonly #total: number
  readonly #states = new Map<string, string>()

  constructor(total: number) {
    this.#total = total
  }

  /** How many have ended, but not well. */
  get failed(): number {
    return this.#over.filter((state) => state !== 'done').length
  }

  /** Notes the state of a job, and tells whether it has ended just now. */
  note({ id, state }: JobView): boolean {
    const before = this.#states.get(id)
    this.#states.set(id, state)
    return ended.has(state) && before !== state
  }

  clear(): void {
    if (this.#terminal.isTTY) this.#terminal.write('\r\x1b[K')
  }

  draw(): void {
    if (!this.#terminal.isTTY) return
    const over = this.#over.length
    const count = (wanted: string) =>
      [...this.#states.values()].filter((one) => one === wanted).length
    const full = Math.floor((over * width) / Math.max(1, this.#total))
    const cells = '█'.repeat(full) + '░'.repeat(width - full)
    this.#terminal.write(
      `${cells} ${over}/${this.#total}, ${count('dead')} dead, ${count('working')} under way`,
    )
  }

  get #over(): readonly string[] {
    return [...this.#states.values()].filter((state) => ended.has(state))
  }
}

/** Returns what makes one line of a job, for people or for programs. */
export function showAs({ json }: { readonly json?: boolean }): (job: JobView) => string {
  return json ? (job) => JSON.stringify(job) : lineOf
}

/** Returns one line about a job. */
function lineOf({ id, type, state, url, reason }: JobView): string {
  const shown = state === 'dead' ? paint('red', state) : state
  return [id, type, shown, url, ...(reason === undefined ? [] : [reason.message])].join('  ')
}
