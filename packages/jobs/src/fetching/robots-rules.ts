/** What a robots.txt says to one robot. */
export interface RobotsRules {
  /** Whether the page may be fetched. At most linear in the file times the address. */
  isAllowed(url: URL): boolean
  /** The delay that it asks for, in ms; 0 when it asks for none. */
  readonly delayMs: number
}

/** A path pattern, cut at its wildcards. */
interface Rule {
  readonly allows: boolean
  /** Octets of the pattern: the longest one that matches decides. */
  readonly length: number
  /** The first begins the path; the others follow in their order. */
  readonly pieces: readonly string[]
  /** The last ends the path. */
  readonly isWhole: boolean
}

interface Group {
  readonly rules: Rule[]
  delayMs: number
}

/**
 * Reads a robots.txt as RFC 9309 has it, for the robot whose product token is `product`: the groups
 * that name it are one, those for `*` stand in when there are none, and nothing else is kept. A
 * Crawl-delay, which the RFC does not know, is read as in the groups that have it.
 */
export function parseRobots(text: string, product: string): RobotsRules {
  const name = product.toLowerCase()
  const found = readGroups(text, new Set([name, '*']))
  const { rules, delayMs } = found.get(name) ?? found.get('*') ?? { rules: [], delayMs: 0 }
  // The longest match first, and of two as long the one that allows.
  rules.sort((one, other) => other.length - one.length || Number(other.allows) - Number(one.allows))
  return {
    delayMs,
    isAllowed(url) {
      const path = normal(url.pathname + url.search)
        .replaceAll('*', '%2A')
        .replaceAll('$', '%24')
      return rules.find((rule) => matches(rule, path))?.allows ?? true
    },
  }
}

/** Returns the groups of the robots in `names`, all of one robot as one. */
function readGroups(text: string, names: ReadonlySet<string>): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>()
  let current = new Set<Group>()
  let inAgents = false
  for (const [field, value] of fieldsOf(text)) {
    if (groupFields.has(field)) {
      inAgents = false
      for (const group of current) add(group, field, value)
    }
    if (field !== 'user-agent') continue
    if (!inAgents) current = new Set()
    inAgents = true
    const name = /^[^\s/]*/.exec(value.toLowerCase())?.[0] ?? ''
    if (!names.has(name)) continue
    const group = groups.get(name) ?? { rules: [], delayMs: 0 }
    groups.set(name, group)
    current.add(group)
  }
  return groups
}

const groupFields = new Set(['allow', 'disallow', 'crawl-delay'])

function* fieldsOf(text: string): Generator<readonly [string, string]> {
  for (const [line] of text.matchAll(/[^\r\n]+/g)) {
    const said = line.split('#', 1)[0] ?? ''
    const colon = said.indexOf(':')
    if (colon > 0) yield [said.slice(0, colon).trim().toLowerCase(), said.slice(colon + 1).trim()]
  }
}

function add(group: Group, field: string, value: string): void {
  if (field === 'crawl-delay') {
    const seconds = Number(value)
    if (seconds > group.delayMs / 1_000) group.delayMs = seconds * 1_000
  } else if (value.startsWith('/') || value.startsWith('*'))
    group.rules.push(toRule(value, field === 'allow'))
}

function toRule(value: string, allows: boolean): Rule {
  const isWhole = value.endsWith('$')
  const pattern = normal(isWhole ? value.slice(0, -1) : value).replaceAll('$', '%24')
  const [first = '', ...others] = pattern.split('*')
  const last = others.at(-1)
  // Wildcards side by side are one; at the end, one says that anything may follow.
  const pieces = [first, ...others.filter((piece) => piece !== '')]
  return { allows, length: pattern.length, pieces, isWhole: isWhole && last !== '' }
}

/** Takes the leftmost place of each piece: where that fails, no other would do. */
function matches({ pieces, isWhole }: Rule, path: string): boolean {
  const [first = ''] = pieces
  if (!path.startsWith(first)) return false
  let at = first.length
  for (let index = 1; index < pieces.length; index++) {
    const piece = pieces[index] ?? ''
    const isLast = isWhole && index === pieces.length - 1
    const found = isLast ? path.length - piece.length : path.indexOf(piece, at)
    if (found < at || (isLast && !path.endsWith(piece))) return false
    at = found + piece.length
  }
  return !isWhole || at === path.length
}

/** Percent-encodes what is beyond ASCII, and writes unreserved letters as they are (section 2.2.2). */
function normal(text: string): string {
  const encoded = text.replace(/[^\0-\x7f]+/g, (letters) => encodeURI(letters.toWellFormed()))
  return encoded.replace(/%[0-9a-f]{2}/gi, (code) => {
    const letter = String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return /[\w.~-]/.test(letter) ? letter : code.toUpperCase()
  })
}
