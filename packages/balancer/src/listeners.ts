/** Those who are told of each event; whoever comes or goes while one is told counts from the next. */
export class Listeners<Event> {
  readonly #all = new Set<(event: Event) => void>()

  /** Calls `listener` for each event until the returned function is called. */
  add(listener: (event: Event) => void): () => void {
    this.#all.add(listener)
    return () => this.#all.delete(listener)
  }

  tell(event: Event): void {
    for (const listener of [...this.#all]) listener(event)
  }
}
