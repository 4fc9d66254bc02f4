import { setTimeout as sleep } from 'node:timers/promises'

/** What an HTTP answer said: its status, head and JSON body (undefined when it has none). */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** Sends a request with a JSON body, if any, to a port of this machine. */
export async function call(
  port: number,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  }
}

/** An event of a stream, its data parsed. */
export interface StreamEvent {
  readonly event: string
  readonly data: Record<string, unknown>
}

/** Reads Server-Sent Events into a list until it is stopped. */
export class StreamReader {
  readonly events: StreamEvent[] = []
  readonly #stop = new AbortController()

  constructor(port: number, path: string) {
    void this.#read(`http://127.0.0.1:${port}${path}`)
  }

  stop(): void {
    this.#stop.abort()
  }

  /** Waits until an event of that name passes `isIt`, and returns it; throws after a minute. */
  async until(
    event: string,
    isIt: (data: Record<string, unknown>) => boolean,
  ): Promise<StreamEvent> {
    for (const untilMs = performance.now() + 60_000; performance.now() < untilMs; ) {
      const found = this.events.find((each) => each.event === event && isIt(each.data))
      if (found) return found
      await sleep(10)
    }
    throw new Error(`no such ${event} among ${this.events.length} events`)
  }

  async #read(url: string): Promise<void> {
    try {
      const response = await fetch(url, { signal: this.#stop.signal })
      let text = ''
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        text += Buffer.from(chunk).toString('utf8')
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) {
          const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? []
          if (event !== '') this.events.push({ event, data: JSON.parse(data) })
        }
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error
    }
  }
}
