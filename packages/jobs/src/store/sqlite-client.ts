import { Worker } from 'node:worker_threads'

/** One statement of SQL with the values of its parameters. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

/** What a statement led to. */
export type Outcome =
  | { readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] }
  | { readonly changes: number; readonly lastId: number | bigint }

/**
 * `alone`: each statement as it is. `durable`: one transaction, on disk when it is answered. `soft`:
 * one transaction that a power cut may undo, but not the death of the process.
 */
export type How = 'alone' | 'durable' | 'soft'

/** What is sent to the thread; it answers in the order of the calls. */
export interface Call {
  readonly id: number
  readonly statements: readonly Statement[]
  readonly how: How
}

export interface Answer {
  readonly id: number
  readonly outcomes?: readonly Outcome[]
  readonly error?: { message: string; code: string | undefined; errcode: number | undefined }
}

interface Pending {
  readonly resolve: (outcomes: readonly Outcome[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * One database file of SQLite in a thread of its own: whoever waits for the disk there stops nothing
 * else. Calls may overlap; they are done one after the other. While somebody has entered, the calls
 * of all others wait.
 */
export class SqliteClient {
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #outside: (() => void)[] = []
  #holder: object | undefined
  #calls = 0
  #ended: unknown

  /** The file is opened at the first call. */
  constructor(path: string) {
    this.#worker = new Worker(new URL('./sqlite-thread.js', import.meta.url), { workerData: path })
    this.#worker.on('message', (answer: Answer) => this.#settle(answer))
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new Error('the database is closed')))
    this.#worker.unref()
  }

  /** Throws what SQLite throws. `who` names whoever may have entered. */
  async run(statements: readonly Statement[], how: How, who?: object): Promise<readonly Outcome[]> {
    while (this.#isClosedTo(who)) await this.#opened()
    if (this.#ended !== undefined) throw this.#ended
    return new Promise((resolve, reject) => {
      const id = this.#calls++
      // A call that is under way keeps the process alive.
      if (this.#pending.size === 0) this.#worker.ref()
      this.#pending.set(id, { resolve, reject })
      // A compiled statement of kysely has more to it, which would be copied.
      const bare = statements.map(({ sql, parameters }) => ({ sql, parameters }))
      this.#worker.postMessage({ id, statements: bare, how } satisfies Call)
    })
  }

  /** Waits until nobody else has entered, and shuts all others out. */
  async enter(who: object): Promise<void> {
    while (this.#isClosedTo(who)) await this.#opened()
    this.#holder = who
  }

  leave(who: object): void {
    if (this.#holder !== who) return
    this.#holder = undefined
    for (const go of this.#outside.splice(0)) go()
  }

  /** Awaits the calls that are under way. */
  async close(): Promise<void> {
    if (this.#ended !== undefined) return
    this.#worker.ref()
    const exit = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage('close')
    await exit
  }

  #isClosedTo(who: object | undefined): boolean {
    return this.#holder !== undefined && this.#holder !== who
  }

  #opened(): Promise<void> {
    return new Promise((resolve) => this.#outside.push(resolve))
  }

  #settle({ id, outcomes = [], error }: Answer): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#worker.unref()
    if (error) pending?.reject(Object.assign(new Error(error.message), error))
    else pending?.resolve(outcomes)
  }

  #end(reason: unknown): void {
    this.#ended ??= reason
    for (const { reject } of this.#pending.values()) reject(this.#ended)
    this.#pending.clear()
  }
}
