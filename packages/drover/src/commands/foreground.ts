import { systemClock } from '@drover/kernel'
import type { Loaded } from '../config/load.ts'
import { createEventLog, type DroverEvent, type EventLog } from '../event-log.ts'
import { type Instance, startInstance } from '../instance.ts'
import { paint, say, warn } from '../terminal.ts'
import { createCalm } from './calm.ts'
import { messageOf } from './exit-codes.ts'
import { startMessage } from './start-message.ts'

/** How an instance in the foreground speaks. */
export interface ForegroundOptions {
  /** Only warnings. */
  readonly quiet?: boolean
  /** What replicas write, too. */
  readonly output?: boolean
  /** Printed below the start message. */
  readonly hints?: readonly string[]
}

/** The start message waits this many ms at most for replicas to become ready. */
const readyMsMax = 10_000
/** After this many ms without a word it says what it waits for. */
const silenceMsMax = 2_000
/** A foreign engine takes up replicas that are ready within this many ms. */
const servedMsMax = 2_000
/**
 * A signal again within this many ms is the same one: a terminal sends it to a wrapper, too, which passes
 * it on, on a busy machine late.
 */
const sameSignalMs = 1_000

/**
 * Runs an instance until it is told to stop: ctrl-c, SIGTERM, or the end of the process that
 * started it over a channel. Ctrl-c again ends it at once; its replicas then end by themselves.
 */
export async function runInForeground(loaded: Loaded, options: ForegroundOptions): Promise<void> {
  const events = createEventLog(systemClock.now)
  const stopAsked = Promise.withResolvers<string>()
  const signals = hearSignals(stopAsked.resolve)
  const settled = awaitReplicas(events, loaded)
  const starting = startInstance(loaded, events)
  const early = await Promise.race([starting, stopAsked.promise])
  const instance = await starting
  signals.reloadWith(loaded.file === undefined ? undefined : () => reload(instance))
  try {
    if (typeof early !== 'string') await present(instance, settled, stopAsked.promise, options)
    const why = await stopAsked.promise
    if (!options.quiet) say(`${why}: stopping; once more stops at once`)
  } finally {
    await instance.stop()
    signals.close()
  }
}

/** Shows where everything is, once the replicas are ready, and from then on what happens. */
async function present(
  instance: Instance,
  settled: Promise<unknown>,
  stopAsked: Promise<unknown>,
  options: ForegroundOptions,
): Promise<void> {
  const cancel = systemClock.after(silenceMsMax, () => {
    if (!options.quiet) say('waiting for replicas to become ready ...')
  })
  await Promise.race([settled, stopAsked]).finally(cancel)
  await Promise.race([instance.system.whenServed(servedMsMax), stopAsked])
  if (!options.quiet) say(await startMessage(instance, options.hints ?? []))
  const calm = createCalm()
  const hear = (event: DroverEvent) => {
    const said = calm(event)
    if (said !== undefined) show({ ...event, message: said })
  }
  for (const event of instance.events.since(0)) if (event.level === 'warning') hear(event)
  instance.events.follow((event) => {
    if (event.level === 'warning' || (event.level === 'notice' && !options.quiet)) hear(event)
  })
  if (options.output) showOutput(instance)
}

function show({ atMs, level, message }: DroverEvent): void {
  const time = new Date(atMs).toTimeString().slice(0, 8)
  say(`${paint('dim', time)} ${level === 'warning' ? paint('yellow', message) : message}`)
}

function showOutput({ system }: Instance): void {
  for (const group of system.groups.values())
    group.follow(({ replica, text }) =>
      say(`${paint('cyan', replica)} ${paint('dim', '|')} ${text}`),
    )
}

/** Resolves when as many replicas are ready as the configuration asks for, or something is wrong. */
function awaitReplicas(events: EventLog, { config }: Loaded): Promise<void> {
  const wanted = Object.values(config.services).reduce(
    (sum, { addresses, replicas }) => sum + (addresses?.length ?? replicas),
    0,
  )
  const { promise, resolve } = Promise.withResolvers<void>()
  const ready = new Set<string>()
  const unfollow = events.follow(({ level, kind, service = '', replica }) => {
    const isReady = /^balancer\.replica\.(ready|slow-start)$/.test(kind)
    if (isReady && service in config.services) ready.add(`${service}/${replica}`)
    if (ready.size >= wanted || level === 'warning') resolve()
  })
  if (wanted === 0) resolve()
  const cancel = systemClock.after(readyMsMax, resolve)
  return promise.finally(() => {
    cancel()
    unfollow()
  })
}

async function reload(instance: Instance): Promise<void> {
  try {
    await instance.reload()
  } catch (error) {
    warn(`the new configuration is refused, the old one stays:\n${messageOf(error)}`)
  }
}

interface Signals {
  /** What SIGHUP does from now on; without anything it stops. */
  reloadWith(action: (() => Promise<void>) | undefined): void
  close(): void
}

function hearSignals(onStop: (why: string) => void): Signals {
  let firstMs: number | undefined
  let onHangUp: (() => Promise<void>) | undefined
  const stop = (why: string) => {
    const nowMs = systemClock.monotonic()
    if (firstMs !== undefined && nowMs - firstMs > sameSignalMs) process.exit(1)
    firstMs ??= nowMs
    onStop(why)
  }
  const handlers: Partial<Record<NodeJS.Signals, () => void>> = {
    SIGINT: () => stop('ctrl-c'),
    SIGTERM: () => stop('SIGTERM'),
    SIGHUP: () => {
      if (onHangUp) void onHangUp()
      else stop('SIGHUP')
    },
  }
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler)
  const orphaned = () => stop('the starting process has ended')
  process.on('disconnect', orphaned)
  return {
    reloadWith(action) {
      onHangUp = action
    },
    close() {
      for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler)
      process.off('disconnect', orphaned)
    },
  }
}
