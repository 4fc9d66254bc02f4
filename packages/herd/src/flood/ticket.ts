/**
 * Stands for the updates of one turn until every live neighbour has acknowledged them, or until the
 * deadline. Answers to clients wait for it.
 */
export class Ticket {
  /** Of the node's clock, in ms. */
  readonly deadlineMs: number
  #waiting = 0
  #isSealed = false
  #isDone = false
  readonly #actions: (() => void)[] = []

  constructor(deadlineMs: number) {
    this.deadlineMs = deadlineMs
  }

  get isDone(): boolean {
    return this.#isDone
  }

  /** Waits for one more neighbour. */
  hold(): void {
    this.#waiting++
  }

  /** One neighbour has acknowledged, or is gone. */
  release(): void {
    this.#waiting--
    this.#check()
  }

  /** Every neighbour that is to be waited for has been named. */
  seal(): void {
    this.#isSealed = true
    this.#check()
  }

  /** The deadline has passed: nobody is waited for any more. */
  expire(): void {
    this.#finish()
  }

  /** Calls `action` when it is done; at once when it is done already. */
  whenDone(action: () => void): void {
    if (this.#isDone) action()
    else this.#actions.push(action)
  }

  #check(): void {
    if (this.#isSealed && this.#waiting <= 0) this.#finish()
  }

  #finish(): void {
    if (this.#isDone) return
    this.#isDone = true
    for (const action of this.#actions) action()
  }
}
