import { Fifo } from './fifo.ts'
import type { Ticket } from './ticket.ts'

/**
 * The tickets that wait for one link: first until what they stand for has been sent, which is known
 * by its place in the outbox, then until that message is acknowledged.
 */
export class WaitingTickets {
  readonly #unsent = new Fifo<{ readonly position: number; readonly ticket: Ticket }>()
  readonly #sent = new Fifo<{ readonly number: number; readonly ticket: Ticket }>()

  /** Waits until the outbox has sent up to `position`. */
  awaitSending(ticket: Ticket, position: number): void {
    this.#unsent.push({ position, ticket })
    ticket.hold()
  }

  /** Waits until the message `number` is acknowledged. */
  awaitAck(ticket: Ticket, number: number): void {
    this.#sent.push({ number, ticket })
    ticket.hold()
  }

  /** Everything up to `position` is in messages up to `number`. */
  sent(position: number, number: number): void {
    for (let next = this.#unsent.peek(); next; next = this.#unsent.peek()) {
      if (position < next.position) return
      this.#unsent.shift()
      this.#sent.push({ number, ticket: next.ticket })
    }
  }

  /** Messages up to `number` are acknowledged. */
  acked(number: number): void {
    while ((this.#sent.peek()?.number ?? Number.POSITIVE_INFINITY) <= number)
      this.#sent.shift()?.ticket.release()
  }

  has(ticket: Ticket): boolean {
    return [...this.#unsent, ...this.#sent].some((waiting) => waiting.ticket === ticket)
  }

  /** Nobody has to wait any more. */
  releaseAll(): void {
    for (const { ticket } of [...this.#unsent, ...this.#sent]) ticket.release()
  }
}
