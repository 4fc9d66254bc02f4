import { numberServers, SlotRing } from '@drover/ring'
import { claimOfRepeated } from './a2.ts'
import { startLab } from './lab.ts'
import type { Report } from './report.ts'
import { sendTogether, type Together } from './requests.ts'
import type { Run } from './run.ts'
import { spreadOf } from './statistics.ts'

const replicas = 3

/** many requests at once on three replicas, and how many each of them answered. */
export async function runA1({ requests, progress, stage }: Run): Promise<Report> {
  progress.step(`${requests} requests at once on ${replicas} replicas`)
  const lab = await startLab(stage, { replicas, policy: 'slot-ring' })
  const together = await sendTogether(new URL('/home', lab.url), requests)
  return reportOf(requests, together, await lab.retries())
}

function reportOf(requests: number, together: Together, repeated: number): Report {
  const { byServer, failures, elapsedMs } = together
  const expected = slotRingShares(replicas)
  const rows = expected.map(({ id, share }) => ({
    id,
    count: byServer.get(id) ?? 0,
    share,
  }))
  const failed = [...failures.values()].reduce((sum, count) => sum + count, 0)
  const spread = spreadOf(rows.map(({ count }) => count))
  return {
    question: `${requests.toLocaleString('en')} requests arrive at the same time. How many does each replica of the course's ring answer?`,
    setup: [
      `${replicas} replicas of examples/home-server, policy slot-ring (512 slots, 9 virtual servers each, the course's hash functions, linear probing), request ids random with 6 digits`,
      `${requests.toLocaleString('en')} connections are opened; when all are open, GET /home is sent on each; all were answered after ${Math.round(elapsedMs)} ms`,
      'Expected: the exact share of the 900,000 possible request ids',
    ],
    findings: [
      `the busiest replica answered ${spread.mostOverMean.toFixed(2)} times the mean; even would be 1`,
      'the ring is as uneven as its hash functions: i² + 2i + 17 takes only few of the 512 slots, and those lie close together; experiment a4 shows better ones',
    ],
    claims: [
      {
        says: `${(requests - failed).toLocaleString('en')} of ${requests.toLocaleString('en')} requests were answered${describe(failures)}`,
        holds: failed === 0,
      },
      claimOfRepeated(repeated, requests),
      {
        says: 'the counts are as near to those expected as chance lets them be (five standard deviations)',
        holds: rows.every(({ count, share }) => isNear(count, requests, share)),
      },
    ],
    charts: [
      {
        kind: 'bars',
        title: 'Requests answered',
        unit: 'requests',
        rows: rows.map(({ id, count, share }) => ({
          label: `Server ${id}`,
          value: count,
          expected: share * requests,
        })),
      },
    ],
    tables: [
      {
        title: 'Requests by replica',
        heading: ['replica', 'requests', 'share', 'expected'],
        rows: rows.map(({ id, count, share }) => [
          `Server ${id}`,
          count,
          `${((100 * count) / requests).toFixed(1)} %`,
          `${(100 * share).toFixed(1)} %`,
        ]),
      },
    ],
  }
}

/** Whether `count` of `requests` may be chance when each falls here with the probability `share`. */
function isNear(count: number, requests: number, share: number): boolean {
  const deviation = Math.sqrt(requests * share * (1 - share))
  return Math.abs(count - requests * share) <= 5 * deviation
}

function describe(failures: ReadonlyMap<string, number>): string {
  const parts = [...failures].map(([reason, count]) => `${count}: ${reason}`)
  return parts.length === 0 ? '' : `; the others: ${parts.join(', ')}`
}

/** The part of all 6-digit request ids that falls on each of the servers 1 to `count`. */
export function slotRingShares(count: number): { id: string; share: number }[] {
  const ids = Array.from({ length: count }, (_, index) => String(index + 1))
  const numbers = numberServers(ids.map((id) => `Server ${id}`))
  const ring = new SlotRing()
  for (const number of numbers) ring.add(number)
  const shares = ring.requestShares()
  return ids.map((id, index) => ({ id, share: shares.get(numbers[index] ?? 0) ?? 0 }))
}
