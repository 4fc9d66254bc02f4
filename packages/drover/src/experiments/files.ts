import { fileURLToPath } from 'node:url'
import { systemClock } from '@drover/kernel'
import { startLab } from './lab.ts'
import type { Report } from './report.ts'
import type { Run } from './run.ts'

const backends = [1, 3] as const
const sizes = [1024, 102_400, 1_048_576, 10_485_760] as const
const parallels = [1, 8, 32] as const
/** Calls of each measurement. */
const calls = 64

interface Timed {
  readonly backends: number
  readonly bytes: number
  readonly parallel: number
  readonly elapsedMs: number
}

/** The evaluation of an nginx-style course: one backend against three, by file size and parallel calls. */
export async function runFiles({ progress, stage }: Run): Promise<Report> {
  const seen: Timed[] = []
  const command = [process.execPath, fileURLToPath(new URL('./file-server.js', import.meta.url))]
  for (const count of backends) {
    progress.step(`${count} backends`)
    const lab = await startLab(stage, {
      replicas: count,
      policy: 'least-connections',
      service: { command, health: { path: '/files/0' } },
    })
    try {
      for (const bytes of sizes)
        for (const parallel of parallels) {
          const elapsedMs = await download(new URL(`/files/${bytes}`, lab.url), parallel)
          seen.push({ backends: count, bytes, parallel, elapsedMs })
        }
    } finally {
      await lab.stop()
    }
  }
  return reportOf(seen)
}

/** Makes the calls, `parallel` at one time, and returns how long all of them took. */
async function download(url: URL, parallel: number): Promise<number> {
  const startMs = systemClock.monotonic()
  let left = calls
  const client = async () => {
    while (left-- > 0) await (await fetch(url)).arrayBuffer()
  }
  await Promise.all(Array.from({ length: parallel }, client))
  return systemClock.monotonic() - startMs
}

function reportOf(seen: readonly Timed[]): Report {
  const of = (count: number, bytes: number, parallel: number) =>
    seen.find((one) => one.backends === count && one.bytes === bytes && one.parallel === parallel)
      ?.elapsedMs ?? 0
  const gain = (bytes: number, parallel: number) => of(1, bytes, parallel) / of(3, bytes, parallel)
  return {
    question: 'What do three backends gain, by file size and by calls at the same time?',
    setup: [
      `each backend hashes a file and sends it; ${calls} calls for each measurement, policy least-connections`,
      `client, door and backends share this machine, so three backends can gain no more than it has cores`,
    ],
    findings: [
      `one call at a time gains nothing from more backends: ${gain(sizes[2], 1).toFixed(2)} times as fast at 1 MiB`,
      `${parallels[2]} calls at a time: ${sizes.map((bytes) => `${gain(bytes, parallels[2]).toFixed(2)} times as fast at ${sizeOf(bytes)}`).join(', ')}`,
    ],
    claims: [],
    charts: parallels.map((parallel) => ({
      kind: 'lines',
      title: `${calls} calls, ${parallel} at a time`,
      unit: 'ms',
      points: sizes.map(sizeOf),
      series: backends.map((count) => ({
        name: `${count} ${count === 1 ? 'backend' : 'backends'}`,
        values: sizes.map((bytes) => of(count, bytes, parallel)),
      })),
    })),
    tables: [
      {
        title: 'Time of all calls, ms',
        heading: ['file', 'at a time', '1 backend', '3 backends', 'times as fast'],
        rows: sizes.flatMap((bytes) =>
          parallels.map((parallel) => [
            sizeOf(bytes),
            parallel,
            Math.round(of(1, bytes, parallel)),
            Math.round(of(3, bytes, parallel)),
            gain(bytes, parallel).toFixed(2),
          ]),
        ),
      },
    ],
  }
}

function sizeOf(bytes: number): string {
  return bytes >= 1_048_576 ? `${bytes / 1_048_576} MiB` : `${bytes / 1024} KiB`
}
