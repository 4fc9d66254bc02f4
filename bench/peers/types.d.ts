/** The parts of untyped packages that the benchmarks call. */
declare module 'consistent-hash' {
  class ConsistentHash {
    constructor(options: { readonly range: number })
    add(node: string, points?: number): this
    get(key: string): string | null
  }
  export = ConsistentHash
}

declare module 'hashring' {
  class HashRing {
    constructor(
      servers: readonly string[],
      algorithm?: string,
      options?: Readonly<Record<string, number>>,
    )
    get(key: string): string | undefined
  }
  export = HashRing
}

declare module 'zip-stream' {
  import { Transform } from 'node:stream'

  class ZipStream extends Transform {
    constructor(options: { readonly store: boolean })
    entry(
      source: Buffer,
      about: { readonly name: string },
      done: (error: Error | null | undefined) => void,
    ): this
    finish(): void
  }
  export = ZipStream
}
