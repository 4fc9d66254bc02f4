const millisecondsOf: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const bytesOf: Record<string, number> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/**
 * Returns the milliseconds that a duration names: `500ms`, `5s`, `1.5m`, `2h`, `7d`.
 * Throws a RangeError that quotes the text; there is no bare number, because its unit would be a guess.
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim())
  const unitMs = match?.[2] === undefined ? undefined : millisecondsOf[match[2]]
  if (!match || unitMs === undefined)
    throw new RangeError(`"${text}" is not a duration such as 500ms, 5s, 2m, 1h or 7d`)
  return Number(match[1]) * unitMs
}

/**
 * Returns the bytes that a size names: `512`, `64KiB`, `8MB`, `1GiB`. Throws a RangeError that
 * quotes the text.
 */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim())
  const unit = match?.[2] === undefined ? undefined : bytesOf[match[2]]
  if (!match || unit === undefined)
    throw new RangeError(`"${text}" is not a size such as 512, 64KiB, 8MB or 1GiB`)
  return Math.floor(Number(match[1]) * unit)
}

/** A host and a port. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Returns the address that `text` names: `127.0.0.1:5000`, `[::1]:5000`, `:5000` (every interface)
 * or `5000` (loopback). Port 0 asks the system for a free one. Throws a RangeError that quotes the text.
 */
export function parseAddress(text: string): Address {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text.trim())
  const port = Number(match?.[3])
  if (!match || port > 65_535)
    throw new RangeError(`"${text}" is not an address such as 127.0.0.1:5000, :5000 or 5000`)
  const host = match[1] ?? match[2]
  if (host === undefined) return { host: '127.0.0.1', port }
  return { host: host === '' ? '0.0.0.0' : host, port }
}

/** Returns `host:port`, an IPv6 host in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
