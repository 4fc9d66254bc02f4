import { mkdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { Claim } from './lab/claim.ts'
import type { Lab } from './lab/lab.ts'
import { freePorts } from './lab/ports.ts'
import { cpuTimeBetween, cpuTimeOf } from './lab/process-usage.ts'
import { nodeProgram, startProgram, waitForPort } from './lab/processes.ts'
import { median, tableLines } from './lab/table.ts'

const rounds = 5
const mebibyte = 2 ** 20
const fileBytes = 512 * mebibyte
const subjects = { drover: 'peers/tus-ours.js', '@tus/server': 'peers/tus-server.js' } as const
type Subject = keyof typeof subjects

/** What one round of a subject took, in ms. */
interface Round {
  readonly wallMs: number
  readonly cpuMs: number
}

/** Resumable uploads: ours and the reference server of the protocol. */
export const chunksUpload: Claim = {
  name: 'chunks-upload',
  about: 'a resumable upload (tus) of 512 MiB, in one part and in parts of 8 MiB',
  async run(lab) {
    const rows: string[][] = []
    for (const partBytes of [fileBytes, 8 * mebibyte]) {
      const seen: Record<Subject, Round[]> = { drover: [], '@tus/server': [] }
      for (let round = 1; round <= rounds; round++)
        for (const subject of Object.keys(subjects) as Subject[]) {
          lab.progress(`parts of ${partBytes / mebibyte} MiB, ${subject}: ${round} of ${rounds}`)
          seen[subject].push(await upload(lab, subject, partBytes))
        }
      const speed = (subject: Subject, key: keyof Round) =>
        fileBytes / 1_000 / median(seen[subject].map((round) => round[key]))
      for (const [key, what] of [
        ['cpuMs', 'MB per CPU second'],
        ['wallMs', 'MB per second'],
      ] as const) {
        const [ours, theirs] = [speed('drover', key), speed('@tus/server', key)]
        const title = `parts of ${partBytes / mebibyte} MiB, ${what}`
        rows.push([title, theirs.toFixed(0), ours.toFixed(0), `${(ours / theirs).toFixed(2)} ×`])
      }
    }
    lab.print(
      `a file of ${fileBytes / mebibyte} MiB is stored, median of ${rounds} rounds in turns`,
    )
    lab.print()
    for (const line of tableLines([['', '@tus/server', 'drover', 'ratio'], ...rows]))
      lab.print(line)
    lab.print()
    lab.print('goal: ≥ 1.5 ×')
  },
}

/** Starts a server for one upload, sends it, and tells what it took. */
async function upload(lab: Lab, subject: Subject, partBytes: number): Promise<Round> {
  const [port = 0] = await freePorts(1)
  const folder = join(lab.directory, `uploads-${port}`)
  mkdirSync(folder)
  const server = await startProgram(lab, nodeProgram(subjects[subject], [`${port}`, folder]))
  await waitForPort(port, server)
  const url = `http://127.0.0.1:${port}/files`
  const headers = { 'tus-resumable': '1.0.0' }
  const made = await fetch(url, {
    method: 'POST',
    // A partial upload becomes no request of the chunk service: both servers only store.
    headers: {
      ...headers,
      'upload-length': `${fileBytes}`,
      ...(subject === 'drover' ? { 'upload-concat': 'partial' } : {}),
    },
  })
  const path = new URL(made.headers.get('location') ?? '', url)
  const before = cpuTimeOf(server.pid)
  const startMs = performance.now()
  for (let offset = 0; offset < fileBytes; offset += partBytes)
    await sendPart(path, offset, Math.min(partBytes, fileBytes - offset))
  const wallMs = performance.now() - startMs
  const { user, system } = cpuTimeBetween(before, cpuTimeOf(server.pid))
  const told = await fetch(path, { method: 'HEAD', headers })
  if (told.headers.get('upload-offset') !== `${fileBytes}`)
    throw new Error(`${subject} has ${told.headers.get('upload-offset')} bytes`)
  await server.stop()
  rmSync(folder, { recursive: true })
  return { wallMs, cpuMs: 1_000 * (user + system) }
}

const block = Buffer.alloc(mebibyte, 'resumable ')

async function sendPart(url: URL, offset: number, bytes: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const sent = request(url, {
    method: 'PATCH',
    headers: {
      'tus-resumable': '1.0.0',
      'upload-offset': offset,
      'content-type': 'application/offset+octet-stream',
      'content-length': bytes,
    },
  })
  sent.on('error', reject).on('response', (answer) => {
    answer.resume().on('end', () => {
      if (answer.statusCode === 204) resolve()
      else reject(new Error(`a part was answered ${answer.statusCode}`))
    })
  })
  for (let done = 0; done < bytes; done += block.length)
    await new Promise((written) => sent.write(block, written))
  sent.end()
  await promise
}
