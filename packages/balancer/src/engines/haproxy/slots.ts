import { formatAddress } from '@drover/kernel'
import type { Plan, ReplicaPlan, ServicePlan } from '../../plan.ts'
import { wholeWeights } from '../whole-weights.ts'

/** What a slot of a backend does. */
export interface Slot {
  /** The replica that has it; undefined while it is free. */
  readonly replica: string | undefined
  readonly address: string
  readonly weight: number
  /** It gets new requests; else it is in maintenance, and ends what it has. */
  readonly serving: boolean
}

/** A backend of HAProxy: one for the HTTP side of a service, one for its TCP side. */
export interface Backend {
  readonly name: string
  readonly service: string
  readonly mode: 'http' | 'tcp'
  readonly slots: readonly Slot[]
}

/** HAProxy's weights are whole numbers up to this. */
const weightMax = 256
const slotsLeast = 8

/**
 * Returns the backends of `plan`. A replica keeps the slot that it had in `before`, because a hash
 * goes by slots; a new one gets the slot that was free longest: the last of the free ones that were
 * ever used, after all that never were. Where slots run out there are twice as many, which HAProxy
 * must be reloaded for.
 */
export function assignSlots(plan: Plan, before: readonly Backend[]): Backend[] {
  return plan.services.flatMap((service) =>
    modesOf(service.name, plan).map((mode) => {
      const name = `${mode}_${service.name}`
      const old = before.find((backend) => backend.name === name)?.slots ?? []
      return { name, service: service.name, mode, slots: slotsFor(service, old) }
    }),
  )
}

/** Returns the name of a server line. */
export function serverName(index: number): string {
  return `s${index + 1}`
}

/** Whether a service is used over HTTP, over TCP, or both. */
function modesOf(service: string, { listeners }: Plan): ('http' | 'tcp')[] {
  const isHttp = listeners.some(
    ({ protocol, routes }) =>
      protocol === 'http' &&
      routes.some(({ action }) => action.kind === 'service' && action.service === service),
  )
  const isTcp = listeners.some(
    (listener) => listener.protocol === 'tcp' && listener.service === service,
  )
  return [...(isHttp ? (['http'] as const) : []), ...(isTcp ? (['tcp'] as const) : [])]
}

function slotsFor({ replicas }: ServicePlan, old: readonly Slot[]): Slot[] {
  const weights = wholeWeights(
    replicas.map(({ weight }) => weight),
    weightMax,
  )
  const slots: Slot[] = old.map(freed)
  const filled = (replica: ReplicaPlan, index: number): Slot => ({
    replica: replica.id,
    address: formatAddress(replica),
    weight: weights[index] ?? 1,
    serving: !replica.draining,
  })
  const homeless: [ReplicaPlan, number][] = []
  replicas.forEach((replica, index) => {
    const kept = old.findIndex((slot) => slot.replica === replica.id)
    if (kept === -1) homeless.push([replica, index])
    else slots[kept] = filled(replica, index)
  })
  const free = freeSlots(slots)
  for (const [replica, index] of homeless)
    slots[free.shift() ?? slots.length] = filled(replica, index)
  return slots.concat(Array.from({ length: spare(slots.length, old.length) }, unused))
}

/** One that was let go keeps its address: requests may be under way there. */
function freed(slot: Slot): Slot {
  return { ...slot, replica: undefined, serving: false }
}

/** The numbers of the free slots: those that were never used first. */
function freeSlots(slots: readonly Slot[]): number[] {
  const free = [...slots.keys()].filter((index) => slots[index]?.replica === undefined)
  return free.sort((one, other) => Number(wasUsed(slots[one])) - Number(wasUsed(slots[other])))
}

function wasUsed(slot: Slot | undefined): boolean {
  return slot !== undefined && slot.address !== ''
}

/** None are added while those there are suffice. */
function spare(count: number, before: number): number {
  if (before > 0 && count <= before) return 0
  return Math.max(slotsLeast, 2 ** Math.ceil(Math.log2(2 * Math.max(1, count)))) - count
}

function unused(): Slot {
  return { replica: undefined, address: '', weight: 1, serving: false }
}
