import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Generous, because a crowded machine may do nothing for seconds; only a failure waits so long. */
const deadlineMs = 60_000

/** A client of the line protocol that keeps each packet that it is sent. */
export class LineClient {
  readonly socket: Socket
  /** Everything received, and the packets that it came in. */
  received = Buffer.alloc(0)
  readonly packets: Buffer[] = []
  hasEnded = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.packets.push(bytes)
      this.received = Buffer.concat([this.received, bytes])
    })
    socket.on('end', () => {
      this.hasEnded = true
    })
    socket.on('error', () => {
      this.hasEnded = true
    })
  }

  static async connect(port: number): Promise<LineClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
    await once(socket, 'connect')
    return new LineClient(socket)
  }

  /** What was received, one character per byte. */
  get text(): string {
    return this.received.toString('latin1')
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Closes the own side only. */
  end(): void {
    this.socket.end()
  }

  close(): void {
    this.socket.destroy()
  }

  /** Resolves when `isDone` holds for what was received; throws after a minute. */
  async until(isDone: (text: string) => boolean, what = 'the answer'): Promise<string> {
    await eventually(() => isDone(this.text), `${what}, after ${JSON.stringify(this.text)}`)
    return this.text
  }

  async lines(count: number): Promise<string[]> {
    const text = await this.until((all) => all.split('\n').length > count, `${count} lines`)
    return text.split('\n').slice(0, count)
  }
}

/** Waits until `isDone` holds; throws after a minute. */
export async function eventually(
  isDone: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  for (const untilMs = performance.now() + deadlineMs; performance.now() < untilMs; ) {
    if (await isDone()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`waited in vain for ${what}`)
}

/** Sends one text, closes the own side, and returns all that comes. */
export async function exchange(port: number, text: string | Buffer): Promise<string> {
  const client = await LineClient.connect(port)
  client.send(text)
  client.end()
  await eventually(() => client.hasEnded, `the end of the answer to ${JSON.stringify(`${text}`)}`)
  client.close()
  return client.text
}
