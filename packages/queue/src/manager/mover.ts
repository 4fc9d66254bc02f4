import { describeError, type Log } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { HostedBroker } from './broker-host.ts'
import { type KeptTopic, type ManagerEvent, type PendingMove, specOf } from './manager-state.ts'

const copyBytes = 4_194_304
/** Copying goes on beside the writers until so few records are missing, or so many rounds are over. */
const nearRecords = 2_000
const roundsMax = 10_000

/** What moving needs of the manager. */
interface Movers {
  event(event: ManagerEvent): Promise<void>
  topic(name: string): KeptTopic
  broker(name: string): HostedBroker
  readonly using: { readonly log: Log }
}

interface Role {
  readonly id: number
  readonly role: string
  readonly epoch: number
}

/**
 * Moves a partition from one broker to another while it is written and read. Writers are refused
 * only between the fence and the end; they ask again and find the new owner.
 *
 *   begin ─▶ copy beside the writers ─▶ fence the old owner ─▶ copy the rest ─▶ adopt ─▶ end ─▶ drop
 *
 * Both ends of the way are durable: after a crash the move is finished if the new owner has adopted,
 * and undone otherwise.
 */
export class Mover {
  readonly #manager: Movers

  constructor(manager: Movers) {
    this.#manager = manager
  }

  /** Throws what the brokers throw, and then the old owner goes on under a new epoch. */
  async move(topic: KeptTopic, index: number, to: string): Promise<void> {
    const placed = this.#manager.topic(topic.name).partitions[index]
    if (!placed) return
    const move = { id: placed.id, from: placed.broker, to, epoch: placed.epoch + 1 }
    await this.#manager.event({ type: 'move.begin', move })
    try {
      await this.#carry(topic, index, move)
    } catch (error) {
      const { log } = this.#manager.using
      log.warn({ ...move, cause: describeError(error) }, 'a partition could not be moved')
      await this.finish(move)
      throw error
    }
    await this.#settle(move, to, move.epoch, move.from)
  }

  async #carry(topic: KeptTopic, index: number, move: PendingMove): Promise<void> {
    const { id, epoch } = move
    const from = this.#manager.broker(move.from).link
    const target = this.#manager.broker(move.to).link
    const spec = specOf(topic, { id, broker: move.to, epoch }, index)
    const { result } = await from.call('copy.read', { id, offset: 0, bytesMax: 1 })
    let { start: next, durable } = result as { start: number; durable: number }
    await target.call('copy', { spec, start: next })
    for (let round = 0; round < roundsMax && durable - next > nearRecords; round++)
      [next, durable] = await this.#copyOnce(move, next)
    const fenced = await from.call('fence', { id, epoch })
    const { state, end } = fenced.result as { state: unknown; end: number }
    for (let before = -1; next < end && next !== before; ) {
      before = next
      next = (await this.#copyOnce(move, next))[0]
    }
    if (next < end) throw fault('LOG_DAMAGED', `partition ${id} cannot be read from ${next} on`)
    await target.call('adopt', { spec, state })
  }

  async #copyOnce({ id, from, to }: PendingMove, next: number): Promise<[number, number]> {
    const source = this.#manager.broker(from).link
    const read = await source.call('copy.read', { id, offset: next, bytesMax: copyBytes })
    const { durable } = read.result as { durable: number }
    if (read.bytes.length === 0) return [next, durable]
    const target = this.#manager.broker(to).link
    const { result } = await target.call('copy.append', { id }, [read.bytes])
    return [result as number, durable]
  }

  /** Brings a move to an end that was cut off: forward if the new owner has adopted, back otherwise. */
  async finish(move: PendingMove): Promise<void> {
    const { id, from, to, epoch } = move
    const roles = (await this.#manager.broker(to).link.call('roles', {})).result as Role[]
    const there = roles.find((one) => one.id === id)
    if (there?.role === 'owner' && there.epoch === epoch) {
      await this.#settle(move, to, epoch, from)
      return
    }
    // Whatever the move did at the old owner is over: its epoch is higher than the move's.
    await this.#manager.broker(from).link.call('resume', { id, epoch: epoch + 1 })
    await this.#settle(move, from, epoch + 1, to)
  }

  async #settle(move: PendingMove, owner: string, epoch: number, other: string): Promise<void> {
    await this.#manager.event({ type: 'move.end', partition: move.id, broker: owner, epoch })
    await this.#manager.broker(other).link.call('drop', { id: move.id })
  }
}
