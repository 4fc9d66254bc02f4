import { setPolicy } from '../services.ts'
import { claimsOf, measure, type Seen, sizes } from './a2.ts'
import { type Lab, startLab } from './lab.ts'
import type { Report } from './report.ts'
import { openCrowd } from './requests.ts'
import type { Run } from './run.ts'

/** Ways to spread that are compared, the course's own first. */
const variants = [
  { name: "the course's own", policy: 'slot-ring', options: {} },
  { name: 'slot ring, FNV', policy: 'slot-ring', options: { hash: 'fnv' } },
  { name: 'slot ring, Murmur', policy: 'slot-ring', options: { hash: 'murmur' } },
  {
    name: 'slot ring, Murmur, 16,384 slots, 100 each',
    policy: 'slot-ring',
    options: { hash: 'murmur', slots: 16_384, virtualServers: 100 },
  },
  { name: 'hash ring, 100 virtual nodes', policy: 'ring', options: { epsilon: 0 } },
  { name: 'maglev', policy: 'maglev', options: {} },
] as const

interface Compared {
  readonly name: string
  readonly seen: readonly Seen[]
}

/** A-4: A-1 and A-2 again with other hash functions. */
export async function runA4({ requests, isQuick, progress, stage }: Run): Promise<Report> {
  const lab = await startLab(stage, { replicas: sizes[0], policy: 'slot-ring' })
  // The same connections for all of it: opening ten thousand anew for each would cost nearly as much as asking.
  const crowd = await stage.open(() => openCrowd(new URL('/home', lab.url), requests))
  const seen = variants.map((): Seen[] => [])
  for (const replicas of isQuick ? sizes.slice(0, 2) : sizes) {
    await lab.scaleTo(replicas)
    for (const [index, variant] of variants.entries()) {
      progress.step(`${replicas} replicas, ${variant.name}`)
      await use(lab, variant)
      seen[index]?.push(await measure(lab, replicas, crowd.ask))
    }
  }
  const compared = variants.map(({ name }, index) => ({ name, seen: seen[index] ?? [] }))
  return reportOf(requests, compared)
}

async function use(lab: Lab, { policy, options }: (typeof variants)[number]): Promise<void> {
  await setPolicy(lab.system, 'web', { name: policy, key: 'request-id', options })
}

function reportOf(requests: number, compared: readonly Compared[]): Report {
  const three = (one: Compared) => one.seen.find(({ replicas }) => replicas === 3)
  const average = ({ seen }: Compared) =>
    seen.reduce((sum, { spread }) => sum + spread.mostOverMean, 0) / seen.length
  const best = compared.reduce((one, other) => (average(other) < average(one) ? other : one))
  const [own] = compared
  const measured = own?.seen.map(({ replicas }) => replicas) ?? []
  return {
    question: 'What do A-1 and A-2 give when the hash functions spread?',
    setup: [
      `A-1 and A-2 as before, ${requests.toLocaleString('en')} requests at the same time, for each of ${compared.length} ways to hash; the policy is changed while the service runs`,
      'The key is the random 6-digit request id everywhere, so differences are those of the hash functions and rings alone',
    ],
    findings: [
      `the course's functions give the busiest replica ${own ? average(own).toFixed(2) : '?'} times the mean on average over N; ${best.name} gives ${average(best).toFixed(2)}`,
      'a good hash on the same 512 slots with 9 virtual servers each is already far better; more virtual servers bring it close to even',
    ],
    claims: claimsOf(compared.flatMap(({ seen }) => seen)),
    charts: [
      {
        kind: 'lines',
        title: 'Busiest replica over the mean; 1 is even',
        unit: 'times the mean',
        points: measured.map((replicas) => `N = ${replicas}`),
        series: compared.map(({ name, seen }) => ({
          name,
          values: seen.map(({ spread }) => spread.mostOverMean),
        })),
      },
      {
        kind: 'bars',
        title: 'Busiest of three replicas',
        unit: 'requests',
        rows: compared.map((one) => ({
          label: one.name,
          value: three(one)?.spread.most ?? 0,
          expected: requests / 3,
        })),
      },
    ],
    tables: [
      {
        title: 'Three replicas',
        heading: ['hash', 'requests of each', 'most / mean'],
        rows: compared.map((one) => [
          one.name,
          three(one)?.counts.join(', ') ?? '',
          three(one)?.spread.mostOverMean.toFixed(2) ?? '',
        ]),
      },
      {
        title: 'Busiest replica over the mean',
        heading: ['hash', ...measured.map((replicas) => `N = ${replicas}`)],
        rows: compared.map(({ name, seen }) => [
          name,
          ...seen.map(({ spread }) => spread.mostOverMean.toFixed(2)),
        ]),
      },
    ],
  }
}
