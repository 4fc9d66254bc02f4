import { open, readFile, rm, statfs } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { randomToken, systemClock } from '@drover/kernel'
import type { Finding } from './finding.ts'

const gib = 2 ** 30
const memoryLeast = 1.5 * gib
const filesLeast = 10_240
const backlogLeast = 1_024
const diskLeast = 2 * gib
const syncs = 20

/** Looks at Node, cores, memory, and the limits of the system (Linux; elsewhere fewer). */
export async function examineMachine(): Promise<Finding[]> {
  const limits = await Promise.all([openFiles(), backlog()])
  return [node(), cores(), memory(), ...limits.filter((found) => found !== undefined)]
}

/** Looks at the disk under `folder`: what is free, and how long a sync takes. */
export async function examineDisk(folder: string): Promise<Finding[]> {
  try {
    return [await freeSpace(folder), await syncTime(folder)]
  } catch (cause) {
    const found = `${folder}: ${(cause as Error).message}`
    return [
      {
        what: 'data folder',
        verdict: 'bad',
        found,
        advice: 'name another one: data: in drover.yaml',
      },
    ]
  }
}

function node(): Finding {
  const major = Number.parseInt(process.versions.node, 10)
  const verdict = major >= 24 ? 'good' : 'bad'
  return { what: 'Node.js', verdict, found: process.version }
}

function cores(): Finding {
  const count = availableParallelism()
  const found = `${count}`
  if (count >= 2) return { what: 'cores', verdict: 'good', found }
  return { what: 'cores', verdict: 'poor', found, advice: 'replicas and the door share it' }
}

/** What a container may use counts, not what its host has. */
function memory(): Finding {
  const allowed = process.constrainedMemory()
  const bytes = allowed > 0 ? Math.min(allowed, totalmem()) : totalmem()
  const found = `${(bytes / gib).toFixed(1)} GiB`
  if (bytes >= memoryLeast) return { what: 'memory', verdict: 'good', found }
  return { what: 'memory', verdict: 'poor', found, advice: 'the tour alone takes 1.1 GiB' }
}

async function openFiles(): Promise<Finding | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const [, text] = /^Max open files +(\S+)/m.exec(limits) ?? []
  if (text === undefined) return undefined
  const count = text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
  const what = 'open files'
  if (count >= filesLeast) return { what, verdict: 'good', found: text }
  const advice = `each client takes two; ulimit -n ${filesLeast}, or LimitNOFILE= of systemd`
  return { what, verdict: 'poor', found: text, advice }
}

async function backlog(): Promise<Finding | undefined> {
  const text = await readFile('/proc/sys/net/core/somaxconn', 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const found = text.trim()
  const what = 'connections that may wait to be accepted'
  if (Number(found) >= backlogLeast) return { what, verdict: 'good', found }
  return { what, verdict: 'poor', found, advice: `sysctl net.core.somaxconn=${backlogLeast}` }
}

async function freeSpace(folder: string): Promise<Finding> {
  const { bavail, bsize, blocks } = await statfs(folder)
  const free = bavail * bsize
  const share = blocks === 0 ? 0 : Math.round((100 * bavail) / blocks)
  const found = `${(free / gib).toFixed(1)} GiB (${share} %) in ${folder}`
  if (free >= diskLeast) return { what: 'disk free', verdict: 'good', found }
  const advice = 'the queue refuses messages, and chunks uploads, before the disk is full'
  return { what: 'disk free', verdict: 'poor', found, advice }
}

/** The time of a write and fdatasync bounds how fast one producer is acknowledged. */
async function syncTime(folder: string): Promise<Finding> {
  const path = join(folder, `.drover-doctor-${randomToken(6)}`)
  const file = await open(path, 'wx', 0o600)
  const times: number[] = []
  try {
    for (let round = 0; round < syncs; round++) {
      const startMs = systemClock.monotonic()
      await file.write(Buffer.alloc(4_096), 0, 4_096, round * 4_096)
      await file.datasync()
      times.push(systemClock.monotonic() - startMs)
    }
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
  const medianMs = times.toSorted((one, other) => one - other)[syncs / 2] ?? 0
  const found = `${medianMs.toFixed(2)} ms (median of ${syncs})`
  const what = 'write and sync'
  if (medianMs < 10) return { what, verdict: 'good', found }
  return {
    what,
    verdict: 'poor',
    found,
    advice: 'each durable message of one producer waits for it',
  }
}
