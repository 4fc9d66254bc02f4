import { type Random, seededRandom } from '@drover/kernel'
import { MemoryNetwork, type NetworkFaults } from '../src/flood/memory-network.ts'
import { HerdNode, type NodeEvent } from '../src/flood/node.ts'
import { SimulatedClock } from '../src/flood/simulated-clock.ts'
import { defaultTimings } from '../src/flood/timings.ts'
import { HerdState } from '../src/state/herd-state.ts'
import { createRecord, type HerdRecord, textBytesOf } from '../src/state/record.ts'

export const startMs = 1_700_000_000_000

/** Who is linked with whom, by number. */
export type Graph = readonly (readonly [number, number])[]

/** A connected graph: a random tree and `extra` more links. */
export function randomGraph(count: number, extra: number, random: Random): Graph {
  const links = new Map<string, [number, number]>()
  const add = (one: number, other: number) => {
    if (one !== other) links.set(`${Math.min(one, other)}-${Math.max(one, other)}`, [one, other])
  }
  for (let node = 1; node < count; node++) add(node, random.integer(0, node - 1))
  for (let link = 0; link < extra; link++)
    add(random.integer(0, count - 1), random.integer(0, count - 1))
  return [...links.values()]
}

/** The longest of the shortest paths, by breadth-first search from every node. */
export function diameterOf(count: number, graph: Graph): number {
  const next = Array.from({ length: count }, () => [] as number[])
  for (const [one, other] of graph) {
    next[one]?.push(other)
    next[other]?.push(one)
  }
  let longest = 0
  for (let from = 0; from < count; from++) {
    const hops = new Map([[from, 0]])
    for (const [node, hop] of hops)
      for (const other of next[node] ?? []) if (!hops.has(other)) hops.set(other, hop + 1)
    longest = Math.max(longest, ...hops.values())
  }
  return longest
}

export interface HerdOptions {
  readonly count: number
  readonly graph: Graph
  readonly seed: number
  readonly faults?: NetworkFaults
  readonly sync?: boolean
  readonly recordsMax?: number
  readonly outboxMax?: number
  readonly pingMs?: number
  readonly join?: boolean
}

/** Many nodes in one process on a memory network and a simulated clock. */
export class SimulatedHerd {
  readonly clock = new SimulatedClock(startMs)
  readonly random: Random
  readonly network: MemoryNetwork
  readonly nodes: (HerdNode | undefined)[]
  readonly events: NodeEvent[] = []
  /** Records that reached a node by a link and were news, and the most links one had passed. */
  hopsMost = 0
  /** Told of each record that was news to a node, whoever brought it. */
  onNews: (index: number, slot: number) => void = () => {}
  /** Told before a node is killed. */
  onCrash: (index: number) => void = () => {}
  readonly #options: HerdOptions

  constructor(options: HerdOptions) {
    this.#options = options
    this.random = seededRandom(options.seed)
    this.network = new MemoryNetwork(this.clock, this.random, options.faults)
    this.nodes = Array.from({ length: options.count }, () => undefined)
  }

  async startAll(): Promise<void> {
    for (let index = 0; index < this.nodes.length; index++) await this.start(index)
  }

  async start(index: number): Promise<HerdNode> {
    const { graph, sync = true, recordsMax = 256, outboxMax = 65_536 } = this.#options
    const address = (node: number) => ({ host: nameOf(node), port: 1 })
    const state = new HerdState({
      recordsMax,
      textBytesMax: recordsMax * 160,
      lifetimeMs: 0,
      hashSeed: this.random.integer(0, 2 ** 31),
    })
    const neighbours = graph
      .filter((link) => link.includes(index))
      .map(([one, other]) => (one === index ? other : one))
      .map((node) => ({ name: nameOf(node), address: address(node) }))
    const isJoining = this.#options.join === true
    const node = new HerdNode({
      name: nameOf(index),
      address: address(index),
      key: Buffer.from('the herd'),
      neighbours: isJoining ? [] : neighbours,
      ...(isJoining && { join: { seeds: index === 0 ? [] : [address(0)], degree: 3 } }),
      sync,
      gossip: isJoining || graph.length < 64,
      outboxMax,
      timings: { ...defaultTimings, pingMs: this.#options.pingMs ?? defaultTimings.pingMs },
      state,
      transport: this.network.transport(nameOf(index)),
      clock: this.clock,
      random: this.random,
      defer: (action) => this.clock.after(0, action),
      onEvent: (event) => this.events.push(event),
      onNews: (slot, from) => {
        this.onNews(index, slot)
        if (from !== undefined) this.hopsMost = Math.max(this.hopsMost, state.recordAt(slot).hops)
      },
    })
    this.nodes[index] = node
    await node.start()
    return node
  }

  /** Kills a node: it loses everything, and its neighbours hear of it from the network alone. */
  crash(index: number): void {
    const node = this.nodes[index]
    if (!node) return
    this.onCrash(index)
    this.nodes[index] = undefined
    this.network.crash(nameOf(index))
    void node.stop()
  }

  /** Has a client tell node `index` where it is, at the client's time `seconds`. */
  say(index: number, client: string, seconds: number, place = '+34.5-118.25'): number {
    const node = this.nodes[index]
    if (!node) return -9
    return node.publish(this.record(client, seconds, place))
  }

  record(client: string, seconds: number, place: string): HerdRecord {
    const text = Buffer.from(`+0.000000000 ${client} ${place} ${seconds}`)
    const record = createRecord()
    const [, latitude, longitude] = /^(.[\d.]+)(.[\d.]+)$/.exec(place) ?? []
    Object.assign(record, {
      text,
      seconds,
      heardMs: this.clock.now(),
      latitude: Number(latitude),
      longitude: Number(longitude),
      differenceBytes: 12,
      keyBytes: client.length,
      valueBytes: place.length,
      timeBytes: String(seconds).length,
    })
    return record
  }

  /** Runs until every link of the graph is up, or the deadline passes. */
  settleLinks(deadlineMs: number): boolean {
    const wanted = this.#options.graph.length * 2
    for (let waitedMs = 0; waitedMs < deadlineMs; waitedMs += 50) {
      this.clock.run(50)
      const links = this.nodes.reduce((sum, node) => sum + (node?.links.length ?? 0), 0)
      if (links === wanted) return true
    }
    return false
  }

  /** Records sent over all links that are up, since each came up. */
  sentRecords(): number {
    return this.nodes
      .flatMap((node) => node?.links ?? [])
      .reduce((sum, link) => sum + link.counts.sentRecords, 0)
  }
}

export function nameOf(index: number): string {
  return `s${index}`
}

/** What a node holds, as lines in order: two nodes agree when these are the same. */
export function contentsOf(node: HerdNode): string {
  const lines: string[] = []
  for (let slot = 0; slot < node.state.slotsEnd; slot++) {
    if (node.state.originAt(slot) < 0) continue
    const record = node.state.recordAt(slot)
    const { text, textStart } = record
    const end = textStart + textBytesOf(record)
    lines.push(`${record.origin.name} ${Buffer.from(text.subarray(textStart, end))}`)
  }
  return lines.sort().join('\n')
}
