import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Clock, withDeadline } from '@drover/kernel'
import { type BalancerFaultCode, balancerFaults, fault } from '../../errors.ts'
import type { EngineEvent } from '../../plan.ts'
import type { WorkerAnswer, WorkerMessage, WorkerRequest } from './worker-messages.ts'

const answerMs = 10_000

type Ask = WorkerRequest extends infer Request
  ? Request extends WorkerRequest
    ? Omit<Request, 'number'>
    : never
  : never

/** One worker process of the builtin engine, and the conversation with it. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #clock: Clock
  readonly #waiting = new Map<number, (answer: WorkerAnswer) => void>()
  #number = 0
  #ended = false

  constructor(clock: Clock, emit: (event: EngineEvent) => void, ended: (how: string) => void) {
    this.#clock = clock
    this.#child = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (message: WorkerMessage) => {
      if ('event' in message) emit(message.event)
      else this.#waiting.get(message.answer.number)?.(message.answer)
    })
    // What cannot be sent, or a process that cannot be started, is seen as its end or as no answer.
    this.#child.on('error', () => {})
    this.#child.once('exit', (code, signal) => {
      this.#ended = true
      for (const [number, done] of this.#waiting)
        done({ number, failed: { code: 'ENGINE_FAILED', message: 'the worker process ended' } })
      ended(signal ?? `exit code ${code}`)
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get ended(): boolean {
    return this.#ended
  }

  /** Asks and waits for the answer, at most 10 s longer than the request itself may take. */
  async ask(ask: Ask): Promise<WorkerAnswer> {
    if (this.#ended) throw fault('ENGINE_FAILED', 'the worker process has ended')
    const number = ++this.#number
    const answered = new Promise<WorkerAnswer>((resolve) => this.#waiting.set(number, resolve))
    this.#child.send({ ...ask, number })
    const graceMs = ask.kind === 'stop' ? ask.graceMs : 0
    try {
      const what = `${ask.kind} in worker ${this.pid}`
      const answer = await withDeadline(what, answerMs + graceMs, this.#clock, answered)
      if (answer.failed) throw asFault(answer.failed)
      return answer
    } finally {
      this.#waiting.delete(number)
    }
  }

  /** Ends the process, at once. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

function asFault(failed: { readonly code: string; readonly message: string }): Error {
  const code = Object.hasOwn(balancerFaults, failed.code)
    ? (failed.code as BalancerFaultCode)
    : 'ENGINE_FAILED'
  return fault(code, failed.message)
}
