import { setTimeout as pause } from 'node:timers/promises'

const patienceMs = 15_000

/** Waits for `condition`, looked at every few ms; throws naming `what` when it does not come true. */
export async function until(
  what: string,
  condition: () => unknown | Promise<unknown>,
): Promise<void> {
  const endsAt = performance.now() + patienceMs
  while (!(await condition())) {
    if (performance.now() > endsAt) throw new Error(`waited in vain for ${what}`)
    await pause(2)
  }
}

/** Lets everything that is ready to happen in this process happen, sockets included. */
export async function turns(count = 2): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Waits until `value` has not changed for a good many turns of the event loop, and returns it. */
export async function untilStill(value: () => number): Promise<number> {
  let last = value()
  let same = 0
  await until('rest', () => {
    const next = value()
    same = next === last ? same + 1 : 0
    last = next
    return same === 50
  })
  return last
}
