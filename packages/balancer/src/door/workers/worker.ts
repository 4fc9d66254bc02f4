import { describeError, Fault, systemClock, systemRandom } from '@drover/kernel'
import { Door } from '../door.ts'
import type { WorkerAnswer, WorkerMessage, WorkerRequest } from './worker-messages.ts'

/**
 * The main file of a worker process: one door that shares its addresses with the other workers.
 * It does what its parent says, and ends when the parent is gone.
 */
const door = new Door({
  clock: systemClock,
  random: systemRandom,
  reusePort: true,
  emit: (event) => tell({ event }),
})

/** Plans are taken one after the other: one may come while an earlier one opens its addresses. */
let lastPlan: Promise<unknown> = Promise.resolve()

process.on('message', (request: WorkerRequest) => {
  void answer(request).then((result) => tell({ answer: result }))
})
process.on('disconnect', () => process.exit(0))
// A ctrl-c in the terminal reaches every process of the group: the parent decides what it means.
process.on('SIGINT', () => {})

async function answer(request: WorkerRequest): Promise<WorkerAnswer> {
  const { number } = request
  try {
    switch (request.kind) {
      case 'apply':
        await inTurn(() => door.apply(request.plan))
        return { number, ports: door.ports() }
      case 'stats':
        return { number, stats: door.stats() }
      case 'refused':
        return { number, refused: door.refused() }
      case 'stop':
        await door.stop(request.graceMs)
        return { number }
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { number, failed: { code: error.code, message: describeError(error) } }
  }
}

function inTurn(apply: () => Promise<void>): Promise<void> {
  const turn = lastPlan.then(apply)
  // Whoever asked for the plan is told; the next one is taken all the same.
  lastPlan = turn.catch(() => {})
  return turn
}

function tell(message: WorkerMessage): void {
  if (process.connected) process.send?.(message)
}
