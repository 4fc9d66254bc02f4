/** How pages are fetched. Times in ms, sizes in bytes. */
export interface FetchOptions {
  /** What the service calls itself; robots.txt rules are looked up by the first word. */
  readonly userAgent: string
  /** Whether robots.txt is honoured. Off is for sites of one's own. */
  readonly robots: boolean
  /** Redirects followed for one page. */
  readonly redirectsMax: number
  /** Time to find the host's addresses. */
  readonly lookupMs: number
  /** Time to connect, TLS included. */
  readonly connectMs: number
  /** Time from the request to the answer's headers. */
  readonly headersMs: number
  /** The longest silence within the body. */
  readonly bodyMs: number
  /** Time for the page in all, with redirects, without the waits for its turn and for robots.txt. */
  readonly totalMs: number
  /** The body as it comes over the wire; `concurrency` times that is what fetches may have in memory. */
  readonly packedBytesMax: number
  /** The body after decompression: what bounds a decompression bomb. */
  readonly pageBytesMax: number
  /** Between two requests to one host. Shorter is faster and ruder; robots.txt may ask for more. */
  readonly hostDelayMs: number
  /** The most that a robots.txt's Crawl-delay may slow us. */
  readonly hostDelayMsMax: number
  /** Requests at one time to one host. */
  readonly hostConcurrency: number
  /** Requests at one time in all. */
  readonly concurrency: number
  /** Fetches that may wait for their turn at one host before HOST_BUSY. */
  readonly hostWaitingMax: number
  /** Addresses that may be reached although they are not public: see `createGuard`. */
  readonly allow: readonly string[]
}

export const fetchDefaults: FetchOptions = {
  userAgent: 'Drover/0.1 (fetch jobs)',
  robots: true,
  redirectsMax: 10,
  lookupMs: 5_000,
  connectMs: 10_000,
  headersMs: 20_000,
  bodyMs: 20_000,
  totalMs: 60_000,
  packedBytesMax: 8_388_608,
  pageBytesMax: 16_777_216,
  hostDelayMs: 500,
  hostDelayMsMax: 10_000,
  hostConcurrency: 2,
  concurrency: 64,
  hostWaitingMax: 1_000,
  allow: [],
}

/** How pages are read. */
export interface ReadingOptions {
  /** Worker threads for text. Each reads about 50 article pages per second and takes some 60 MB. */
  readonly threads: number
  /** The longest reading of one page in ms; after it the page's whole text stands in. */
  readonly readMs: number
  /** Longer pages give their whole text only, in characters. */
  readonly articleCharsMax: number
  /** Pages waiting for a thread. */
  readonly waitingMax: number
  /** Memory of one thread in MiB. */
  readonly threadMib: number
}

export const readingDefaults: ReadingOptions = {
  threads: 1,
  readMs: 10_000,
  articleCharsMax: 2_000_000,
  waitingMax: 256,
  threadMib: 256,
}
