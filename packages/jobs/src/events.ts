/** One server-sent event. */
export interface ServerEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: string
}

/** The longest event that is taken, in characters. */
const eventCharsMax = 1_048_576

/**
 * Reads server-sent events (HTML Living Standard, 9.2) as far as our API uses them: `id`, `event`
 * and `data` lines that end with a newline. Throws a RangeError when one is longer than 1 MiB.
 */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const part of body) {
    const texts = (rest + decoder.decode(part, { stream: true })).split('\n\n')
    rest = texts.pop() ?? ''
    if (rest.length > eventCharsMax) throw new RangeError('an event has no end')
    for (const text of texts) {
      const event = parseEvent(text)
      if (event) yield event
    }
  }
}

function parseEvent(text: string): ServerEvent | undefined {
  let [id, event]: [string | undefined, string] = [undefined, 'message']
  const data: string[] = []
  for (const line of text.split('\n')) {
    const [, name, value = ''] = /^(id|event|data): ?(.*)$/s.exec(line) ?? []
    if (name === 'id') id = value
    if (name === 'event') event = value
    if (name === 'data') data.push(value)
  }
  return data.length === 0 ? undefined : { id, event, data: data.join('\n') }
}
