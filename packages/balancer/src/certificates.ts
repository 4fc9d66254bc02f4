import { createPrivateKey, X509Certificate } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { type Cancel, type Clock, describeError, type Log } from '@drover/kernel'
import { fault } from './errors.ts'
import type { CertificateModel, ListenerModel } from './model.ts'
import type { TlsPlan } from './plan.ts'

/** What the keeper of certificates needs, and whom it tells. */
export interface CertificatesParts {
  readonly clock: Clock
  readonly log: Log
  /** A certificate was taken up. */
  onChange(): void
  /** A certificate was not taken up; the old one stays. */
  onTrouble(reason: string): void
}

/** The TLS part of each listener that has one, by the listener's name. */
export type TlsPlans = ReadonlyMap<string, TlsPlan>

/** A certificate is often written in several steps; they are waited for this long. */
const settleMs = 250
/** Where the system cannot watch a folder, files are looked at this often. */
const pollMs = 30_000

/**
 * Keeps the certificates of listeners: reads the files, sees when they change, and takes up what is
 * good. A new certificate that is bad (does not fit its key, is over) never replaces one that works.
 */
export class Certificates {
  readonly #parts: CertificatesParts
  #listeners: readonly ListenerModel[] = []
  #plans: TlsPlans = new Map()
  #watchers: FSWatcher[] = []
  /** What was told last of each listener, so that a file that stays bad is told of once. */
  readonly #troubles = new Map<string, string>()
  #cancelPoll: Cancel | undefined
  #cancelSettle: Cancel | undefined

  constructor(parts: CertificatesParts) {
    this.#parts = parts
  }

  get plans(): TlsPlans {
    return this.#plans
  }

  /** Reads the files of `listeners`. Throws PLAN_REFUSED that names the file and what is wrong. */
  async load(listeners: readonly ListenerModel[]): Promise<TlsPlans> {
    const plans = new Map<string, TlsPlan>()
    for (const { name, tls } of listeners) {
      if (tls === undefined) continue
      const certificates = await Promise.all(tls.certificates.map(loadCertificate))
      for (const { certificate } of certificates) this.#warnOfDates(name, certificate)
      plans.set(name, { certificates, http2: tls.http2 })
    }
    return plans
  }

  /** Uses `plans` from now on, and takes up what changes in the files of `listeners`. */
  follow(listeners: readonly ListenerModel[], plans: TlsPlans): void {
    this.stop()
    this.#listeners = listeners
    this.#plans = plans
    if (plans.size === 0) return
    this.#watchers = [...filesOf(listeners)].flatMap(([folder, names]) =>
      this.#watch(folder, names),
    )
    this.#cancelPoll = this.#parts.clock.every(pollMs, () => void this.#reload())
  }

  stop(): void {
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
    this.#troubles.clear()
    this.#cancelPoll?.()
    this.#cancelSettle?.()
  }

  /** Other files of the folder, such as a log, may change without end: they do not count. */
  #watch(folder: string, names: ReadonlySet<string>): FSWatcher[] {
    const settle = (_kind: string, name: string | null) => {
      // Mounted secrets change by a link beside them, whose name begins with two dots.
      if (name !== null && !names.has(name) && !name.startsWith('..')) return
      this.#cancelSettle?.()
      this.#cancelSettle = this.#parts.clock.after(settleMs, () => void this.#reload())
    }
    try {
      const watcher = watch(folder, { persistent: false }, settle)
      watcher.on('error', (error) => this.#unwatched(folder, error))
      return [watcher]
    } catch (error) {
      this.#unwatched(folder, error)
      return []
    }
  }

  #unwatched(folder: string, error: unknown): void {
    const cause = describeError(error)
    this.#parts.log.warn({ folder, cause }, `cannot be watched; looked at every ${pollMs} ms`)
  }

  async #reload(): Promise<void> {
    const listeners = this.#listeners
    const plans = new Map(this.#plans)
    for (const listener of listeners) {
      const before = plans.get(listener.name)
      if (before === undefined) continue
      try {
        const next = (await this.load([listener])).get(listener.name) ?? before
        refuseWorse(before, next, this.#parts.clock.now())
        plans.set(listener.name, next)
        this.#troubles.delete(listener.name)
      } catch (error) {
        this.#tell(listener.name, describeError(error))
      }
    }
    const isSame = JSON.stringify([...plans]) === JSON.stringify([...this.#plans])
    if (listeners !== this.#listeners || isSame) return
    this.#plans = plans
    this.#parts.log.info({ listeners: [...plans.keys()] }, 'certificates were taken up')
    this.#parts.onChange()
  }

  #tell(listener: string, cause: string): void {
    if (this.#troubles.get(listener) === cause) return
    this.#troubles.set(listener, cause)
    this.#parts.onTrouble(`listener ${listener} keeps its old certificate: ${cause}`)
  }

  /** At the start a certificate that is over is served all the same: better than nothing at all. */
  #warnOfDates(listener: string, pem: string): void {
    const wrong = wrongDates(pem, this.#parts.clock.now())
    if (wrong) this.#parts.log.warn({ listener }, wrong)
  }
}

/** Reads one certificate and its key, and sees that they fit. */
async function loadCertificate(model: CertificateModel): Promise<TlsPlan['certificates'][number]> {
  const { certificateFile, keyFile } = model
  const certificate = await read(certificateFile)
  const key = await read(keyFile)
  try {
    const parsed = new X509Certificate(certificate)
    if (!parsed.checkPrivateKey(createPrivateKey(key)))
      throw fault('PLAN_REFUSED', `the key in ${keyFile} does not fit`)
    return { names: model.names ?? namesIn(parsed), certificate, key }
  } catch (cause) {
    throw fault('PLAN_REFUSED', `the certificate in ${certificateFile} cannot be used`, { cause })
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw fault('PLAN_REFUSED', `${file} cannot be read`, { cause })
  }
}

/** The host names that a certificate lists as alternative names of its subject, as far as sound. */
function namesIn({ subjectAltName = '' }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(/DNS:((?:\*\.)?[A-Za-z0-9._-]+)(?=,|$)/g)].map(
    (match) => match[1] ?? '',
  )
}

/** Throws when `next` is out of its dates while `before` is not. */
function refuseWorse(before: TlsPlan, next: TlsPlan, nowMs: number): void {
  const isGood = before.certificates.every(({ certificate }) => !wrongDates(certificate, nowMs))
  const wrong = next.certificates
    .map(({ certificate }) => wrongDates(certificate, nowMs))
    .find(Boolean)
  if (isGood && wrong) throw fault('PLAN_REFUSED', wrong)
}

/** Says what is wrong with a certificate's dates at `nowMs`. */
function wrongDates(pem: string, nowMs: number): string | undefined {
  const { subject, validFromDate, validToDate } = new X509Certificate(pem)
  if (validToDate.getTime() < nowMs)
    return `the certificate of ${subject} is over since ${validToDate.toISOString()}`
  if (validFromDate.getTime() > nowMs)
    return `the certificate of ${subject} begins only at ${validFromDate.toISOString()}`
  return undefined
}

/** The names of the files by the folder that they lie in. */
function filesOf(listeners: readonly ListenerModel[]): Map<string, Set<string>> {
  const files = listeners.flatMap(({ tls }) =>
    (tls?.certificates ?? []).flatMap(({ certificateFile, keyFile }) => [certificateFile, keyFile]),
  )
  const byFolder = new Map<string, Set<string>>()
  for (const file of files) {
    const names = byFolder.get(dirname(file)) ?? new Set()
    byFolder.set(dirname(file), names.add(basename(file)))
  }
  return byFolder
}
