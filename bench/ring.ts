import type { Claim } from './lab/claim.ts'
import type { Lab } from './lab/lab.ts'
import { nodeProgram, runProgram } from './lab/processes.ts'
import { median, tableLines } from './lab/table.ts'

const rounds = 5

const subjects = [
  { name: 'hash-ring', title: 'drover HashRing (400 points each)' },
  { name: 'maglev', title: 'drover MaglevTable (65,537 slots)' },
  { name: 'rendezvous', title: 'drover Rendezvous' },
  { name: 'slot-ring', title: 'drover SlotRing (murmur, 16,384 slots)' },
  { name: 'hashring', title: 'hashring 3.2 (400 points each, md5)' },
  { name: 'consistent-hash-100', title: 'consistent-hash 1.2 (100 points each)' },
  { name: 'consistent-hash-400', title: 'consistent-hash 1.2 (400 points each)' },
] as const

interface Figures {
  readonly buildMs: number
  /** Lookups per CPU second over 16,384 different keys, and over 1,024. */
  readonly many: number
  readonly few: number
}

/** Lookups of 100 servers × 100 virtual nodes: all our structures against the rings on npm. */
export const ring: Claim = {
  name: 'ring',
  about: 'lookups per second and building time of the rings, ours and those on npm',
  async run(lab) {
    const figures = await measure(lab)
    const ours = figures.get('hash-ring')
    if (ours === undefined) throw new Error('our ring was not measured')

    lab.print(`100 servers × 100 virtual nodes; lookups per CPU second, median of ${rounds} runs`)
    lab.print()
    const header = ['ring', '16,384 keys', 'drover ×', '1,024 keys', 'drover ×', 'making it']
    const rows = subjects.map(({ name, title }) => {
      const { buildMs, many, few } = figures.get(name) ?? { buildMs: 0, many: 0, few: 0 }
      const ratios = [ours.many / many, ours.few / few].map((ratio) => ratio.toFixed(1))
      return [
        title,
        perSecond(many),
        ratios[0] ?? '',
        perSecond(few),
        ratios[1] ?? '',
        `${buildMs.toFixed(1)} ms`,
      ]
    })
    for (const line of tableLines([header, ...rows])) lab.print(line)
    lab.print()
    const ratios = ['hashring', 'consistent-hash-100', 'consistent-hash-400'].map((name) =>
      (ours.many / (figures.get(name)?.many ?? Number.NaN)).toFixed(1),
    )
    lab.print('goal: at least 10 M/s, and at least 5 × each peer on 16,384 keys')
    lab.print(`here: ${perSecond(ours.many)}, and ${ratios.join(', ')} × (the peers from the top)`)
    lab.print('Reading the characters of a key takes about half of our time; no ring in JavaScript')
    lab.print('gets below that, so 5 × a peer with 50 ns per lookup is out of reach.')
    lab.print('hashring remembers the last 5,000 keys, which is what its 1,024-key figure shows.')
    lab.print('consistent-hash draws its points at random: two processes do not agree on a key.')
  },
}

/** Rounds are interleaved, so that a busy moment of the machine does not fall on one subject alone. */
async function measure(lab: Lab): Promise<Map<string, Figures>> {
  const runs = new Map<string, Figures[]>()
  for (let round = 1; round <= rounds; round++) {
    for (const { name } of subjects) {
      lab.progress(`round ${round} of ${rounds}: ${name}`)
      const output = await runProgram(lab, {
        ...nodeProgram('peers/ring-subject.js', [name]),
        core: lab.measuredCore,
      })
      runs.set(name, [...(runs.get(name) ?? []), JSON.parse(output) as Figures])
    }
  }
  const middle = (of: Figures[], key: keyof Figures) => median(of.map((figures) => figures[key]))
  return new Map(
    [...runs].map(([name, all]) => [
      name,
      { buildMs: middle(all, 'buildMs'), many: middle(all, 'many'), few: middle(all, 'few') },
    ]),
  )
}

function perSecond(lookups: number): string {
  return `${(lookups / 1e6).toFixed(2)} M/s`
}
