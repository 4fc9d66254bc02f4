/** One event of a stream of server-sent events. */
export interface ServerEvent {
  /** The last id that was named so far; empty before the first. */
  readonly id: string
  /** `message` when the stream names no other. */
  readonly name: string
  readonly data: string
}

/** More than this of one unfinished event is no event of ours. */
const eventCharsMax = 4 * 2 ** 20

/**
 * Returns a function that takes the text of a stream, piece by piece, and returns the events that are
 * complete, as the HTML standard says how server-sent events are read. Throws RangeError for an
 * event without end.
 */
export function createSseParser(): (piece: string) => ServerEvent[] {
  let rest = ''
  let id = ''
  let name = ''
  let data: string[] = []
  const take = (line: string, events: ServerEvent[]) => {
    if (line === '') {
      if (data.length > 0) events.push({ id, name: name || 'message', data: data.join('\n') })
      name = ''
      data = []
      return
    }
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (field === 'data') data.push(value)
    else if (field === 'event') name = value
    else if (field === 'id' && !value.includes('\0')) id = value
  }
  return (piece) => {
    const events: ServerEvent[] = []
    const text = rest + piece
    // A carriage return at the end may be half of a line's end.
    const lines = text.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    if (rest.length > eventCharsMax) throw new RangeError('a server-sent event without end')
    for (const line of lines) take(line, events)
    return events
  }
}
