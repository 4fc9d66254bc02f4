import type { ReplicaCounts } from '../../no-stats.ts'
import type { EngineEvent, ListenerStats, Plan } from '../../plan.ts'
import { type Counters, countStatus } from '../counters.ts'
import { parseTable } from './admin-socket.ts'
import { type Backend, serverName } from './slots.ts'

type Row = Readonly<Record<string, string>>

/** Events told for one reading are at most so many; more would not change what is made of them. */
const failuresMax = 20

const counted = [
  'stot',
  'bin',
  'bout',
  'econ',
  'eresp',
  'wretr',
  'wredis',
  'hrsp_1xx',
  'hrsp_2xx',
  'hrsp_3xx',
  'hrsp_4xx',
  'hrsp_5xx',
] as const

type Name = (typeof counted)[number]
type Numbers = Readonly<Record<Name, number>>

/**
 * Makes of HAProxy's statistics, which count by slot and begin anew with each worker, counters by
 * replica that only grow, and tells the control plane of failures and answers.
 */
export class StatReader {
  readonly #counters: Counters
  readonly #emit: (event: EngineEvent) => void
  /** The last numbers of each row. */
  #last = new Map<string, Numbers>()
  #listeners: ListenerStats[] = []

  constructor(counters: Counters, emit: (event: EngineEvent) => void) {
    this.#counters = counters
    this.#emit = emit
  }

  get listeners(): readonly ListenerStats[] {
    return this.#listeners
  }

  /** Takes in what `show stat` says. */
  read(text: string, plan: Plan, backends: readonly Backend[]): void {
    const rows = new Map(parseTable(text, ',').map((row) => [`${row.pxname}/${row.svname}`, row]))
    const sessions = new Map<string, number>()
    for (const backend of backends) {
      this.#readBackend(backend, rows)
      backend.slots.forEach(({ replica }, index) => {
        const row = rows.get(`${backend.name}/${serverName(index)}`)
        if (replica === undefined || row === undefined) return
        sessions.set(replica, (sessions.get(replica) ?? 0) + Number(row.scur))
        this.#readServer(replica, `${backend.name}/${serverName(index)}`, row)
      })
    }
    for (const [id, count] of sessions) {
      const replica = this.#counters.replica(id)
      if (replica) replica.inFlight = count
    }
    this.#listeners = plan.listeners.map(({ name }) => listenerStats(name, rows))
  }

  #readBackend({ name, service }: Backend, rows: ReadonlyMap<string, Row>): void {
    const row = rows.get(`${name}/BACKEND`)
    if (row === undefined) return
    const more = this.#since(`${name}/BACKEND`, row)
    const counts = this.#counters.service(service)
    counts.retriesTotal += more.wretr + more.wredis
    counts.waiting = Number(row.qcur)
  }

  #readServer(id: string, key: string, row: Row): void {
    const more = this.#since(key, row)
    const replica = this.#counters.replica(id)
    if (replica === undefined) return
    const unconnected = more.econ + more.wretr + more.wredis
    const failures = unconnected + more.eresp
    const answers = Math.max(0, more.stot - failures)
    count(replica, more, failures)
    if (answers > 0) this.#emit({ kind: 'answered', replica: id })
    for (let told = 0; told < Math.min(failures, failuresMax); told++)
      this.#emit({
        kind: 'failed',
        replica: id,
        reason: told < unconnected ? 'no connection could be made' : 'no whole answer came',
        refused: told < unconnected,
      })
  }

  /** What was counted since the last reading; a new worker begins at zero. */
  #since(key: string, row: Row): Numbers {
    const now = Object.fromEntries(counted.map((name) => [name, Number(row[name])])) as Numbers
    const last = this.#last.get(key)
    this.#last.set(key, now)
    if (last === undefined || now.stot < last.stot) return now
    return Object.fromEntries(counted.map((name) => [name, now[name] - last[name]])) as Numbers
  }
}

function count(replica: ReplicaCounts, more: Numbers, failures: number): void {
  replica.requestsTotal += more.stot
  replica.failuresTotal += failures
  replica.bytesInTotal += more.bin
  replica.bytesOutTotal += more.bout
  const digits = [more.hrsp_1xx, more.hrsp_2xx, more.hrsp_3xx, more.hrsp_4xx, more.hrsp_5xx]
  digits.forEach((times, index) => {
    countStatus(replica, 100 * (index + 1), times)
  })
  countStatus(replica, 0, Math.min(failures, more.stot))
}

function listenerStats(name: string, rows: ReadonlyMap<string, Row>): ListenerStats {
  const row = rows.get(`${name}/FRONTEND`) ?? {}
  const refused = Number(row.ereq ?? 0)
  return {
    name,
    connectionsOpen: Number(row.scur ?? 0),
    connectionsTotal: Number(row.conn_tot || row.stot || 0),
    connectionsRefusedTotal: Number(row.dcon ?? 0),
    refusedTotal: refused > 0 ? { 'bad request': refused } : {},
  }
}
