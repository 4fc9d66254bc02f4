/**
 * Remembers which of `size` nodes one walk has met, and forgets all of them at once: a node is met
 * when its mark is the number of the current walk.
 */
export class Marks {
  readonly #marks: Uint32Array
  #walk = 0

  constructor(size: number) {
    this.#marks = new Uint32Array(size)
  }

  /** Begins a walk that has met nobody. */
  begin(): void {
    this.#walk++
    if (this.#walk <= 0xffff_ffff) return
    this.#marks.fill(0)
    this.#walk = 1
  }

  /** Marks `index` as met; returns false when it was met before. */
  meet(index: number): boolean {
    if (this.#marks[index] === this.#walk) return false
    this.#marks[index] = this.#walk
    return true
  }
}
