import assert from 'node:assert/strict'

/** Everything that clients saw in one run, and the rules it is held to. */
export class History {
  /** Acknowledged sends: value to place. */
  readonly acked = new Map<string, string>()
  /** What some read showed at a place. */
  readonly seen = new Map<string, string>()
  /** Places whose ack as work was acknowledged. */
  readonly done = new Set<string>()
  readonly leased = new Set<string>()
  readonly #committed = new Map<string, number>()
  /** Who believes to own a partition of the group of readers. */
  readonly owners = new Map<number, string>()

  read(partition: number, offset: number, value: string): void {
    const place = `${partition}:${offset}`
    const before = this.seen.get(place)
    if (before !== undefined) assert.equal(value, before, `two values at ${place}`)
    this.seen.set(place, value)
  }

  lease(partition: number, offset: number, value: string): void {
    const place = `${partition}:${offset}`
    this.read(partition, offset, value)
    assert.ok(!this.done.has(place), `${place} was handed out after its ack`)
    this.leased.add(place)
  }

  commit(partition: number, offset: number): void {
    const key = String(partition)
    this.#committed.set(key, Math.max(offset, this.#committed.get(key) ?? 0))
  }

  committed(partition: number, offset: number | undefined): void {
    const least = this.#committed.get(String(partition)) ?? 0
    assert.ok((offset ?? 0) >= least, `commit of ${partition} went back from ${least} to ${offset}`)
  }

  /** A member learnt what it may read: nobody else may believe the same. */
  own(member: string, partitions: readonly number[]): void {
    for (const [partition, owner] of this.owners)
      if (owner === member && !partitions.includes(partition)) this.owners.delete(partition)
    for (const partition of partitions) {
      const owner = this.owners.get(partition)
      assert.ok(!owner || owner === member, `${partition} is ${owner}'s and ${member}'s`)
      this.owners.set(partition, member)
    }
  }

  forget(member: string): void {
    for (const [partition, owner] of this.owners)
      if (owner === member) this.owners.delete(partition)
  }

  /** Compares with what the log holds in the end, by place. */
  check(final: ReadonlyMap<string, string>): void {
    for (const [value, place] of this.acked)
      assert.equal(final.get(place), value, `acknowledged ${value} is not at ${place}`)
    for (const [place, value] of this.seen)
      assert.equal(final.get(place), value, `${place} was read as ${value} and is gone`)
    const values = [...final.values()]
    assert.equal(new Set(values).size, values.length, 'a message is stored twice')
    const last = new Map<string, number>()
    for (const [place, value] of final) {
      const [producer, number] = value.split('-') as [string, string]
      const key = `${place.split(':')[0]}/${producer}`
      assert.ok(Number(number) > (last.get(key) ?? -1), `${value} at ${place} is out of order`)
      last.set(key, Number(number))
    }
  }
}
