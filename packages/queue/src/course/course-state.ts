/** One partition of the course: a name for a number of a partition in the queue below. */
export interface CoursePart {
  /** Counts all partitions ever made; one that was removed and made again gets a new one. */
  readonly serial: number
  readonly topic: string
  readonly part: string
  readonly index: number
}

/** A producer registered with one partition, or with all that its topic had then. */
export interface CourseProducer {
  readonly id: number
  readonly parts: readonly CoursePart[]
  /** Which of `parts` is next. */
  turn: number
}

/** A consumer; where it is in each of its partitions. */
export interface CourseConsumer {
  readonly id: number
  readonly parts: readonly CoursePart[]
  turn: number
  /** The next offset in each of `parts`. */
  readonly offsets: number[]
}

/** What happened, as the journal keeps it. Parts are named by their serials. */
export type CourseEvent =
  | { readonly kind: 'part'; readonly topic: string; readonly part: string; readonly index: number }
  | { readonly kind: 'topic-gone'; readonly topic: string }
  | { readonly kind: 'producer'; readonly parts: readonly number[]; readonly turn?: number }
  | {
      readonly kind: 'consumer'
      readonly parts: readonly number[]
      readonly offsets: readonly number[]
      readonly turn?: number
    }
  | { readonly kind: 'produced'; readonly id: number; readonly turn: number }
  | {
      readonly kind: 'consumed'
      readonly id: number
      readonly turn?: number
      /** Where the consumer is now in its partition number `place`. */
      readonly place?: number
      readonly offset?: number
    }

/**
 * What the managers of the course know: topics, producers and consumers, all in the order of their
 * making. It is the sum of its events and nothing else, so that a restart comes to the same.
 */
export class CourseState {
  readonly #parts: CoursePart[] = []
  readonly #topics = new Map<string, CoursePart[]>()
  readonly #producers: CourseProducer[] = []
  readonly #consumers: CourseConsumer[] = []

  /** Topics that exist, with their partitions in the order of their creation. */
  get topics(): ReadonlyMap<string, readonly CoursePart[]> {
    return this.#topics
  }

  get producers(): readonly CourseProducer[] {
    return this.#producers
  }

  get consumers(): readonly CourseConsumer[] {
    return this.#consumers
  }

  find(topic: string, part: string): CoursePart | undefined {
    return this.#topics.get(topic)?.find((one) => one.part === part)
  }

  /** Holds until the part's topic is removed. */
  exists(part: CoursePart): boolean {
    return this.find(part.topic, part.part)?.serial === part.serial
  }

  /** Takes in one event. Throws RangeError for one that does not fit what went before. */
  apply(event: CourseEvent): void {
    switch (event.kind) {
      case 'part':
        this.#addPart(event.topic, event.part, event.index)
        return
      case 'topic-gone':
        this.#topics.delete(event.topic)
        return
      case 'producer':
        this.#producers.push({
          id: this.#producers.length,
          parts: this.#partsOf(event.parts),
          turn: event.turn ?? 0,
        })
        return
      case 'consumer':
        this.#consumers.push({
          id: this.#consumers.length,
          parts: this.#partsOf(event.parts),
          offsets: [...event.offsets],
          turn: event.turn ?? 0,
        })
        return
      case 'produced':
        at(this.#producers, event.id).turn = event.turn
        return
      case 'consumed': {
        const consumer = at(this.#consumers, event.id)
        if (event.turn !== undefined) consumer.turn = event.turn
        if (event.place !== undefined && event.offset !== undefined)
          consumer.offsets[event.place] = event.offset
      }
    }
  }

  /** The fewest events that come to the same state: what the journal begins with when rewritten. */
  *toEvents(): Generator<CourseEvent> {
    const seen = new Set<string>()
    for (const { serial, topic, part, index } of this.#parts) {
      // A topic was removed before its name was used again.
      if (index === 0 && seen.has(topic)) yield { kind: 'topic-gone', topic }
      seen.add(topic)
      yield { kind: 'part', topic, part, index }
      const last = this.#parts.findLast((one) => one.topic === topic)
      if (last?.serial === serial && !this.#topics.has(topic)) yield { kind: 'topic-gone', topic }
    }
    for (const { parts, turn } of this.#producers)
      yield { kind: 'producer', parts: parts.map(({ serial }) => serial), turn }
    for (const { parts, turn, offsets } of this.#consumers)
      yield { kind: 'consumer', parts: parts.map(({ serial }) => serial), turn, offsets }
  }

  #addPart(topic: string, part: string, index: number): void {
    const made = { serial: this.#parts.length, topic, part, index }
    this.#parts.push(made)
    const parts = this.#topics.get(topic)
    if (parts) parts.push(made)
    else this.#topics.set(topic, [made])
  }

  #partsOf(serials: readonly number[]): CoursePart[] {
    return serials.map((serial) => at(this.#parts, serial))
  }
}

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index]
  if (item === undefined) throw new RangeError(`no ${index} among ${items.length}`)
  return item
}
