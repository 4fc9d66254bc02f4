import { type ArchiveFormat, type Entry, unixSeconds } from './format.ts'

const blockBytes = 512
/** What 11 octal digits hold: 8 GiB less one byte. */
const octalMax = 8 ** 11 - 1
const nameBytesMax = 100

/** Tar in the ustar format (POSIX.1-1988), with pax records for long names and sizes over 8 GiB. */
export function createTar(): ArchiveFormat {
  return {
    hasCrc: false,
    around(entry) {
      const records = paxRecords(entry).length
      const pax = records > 0 ? blockBytes + records + paddingBytes(records) : 0
      return { before: pax + blockBytes, after: paddingBytes(entry.bytes) }
    },
    begin(entry, out) {
      const records = paxRecords(entry)
      if (records.length > 0) {
        out.add(header({ name: 'pax', bytes: records.length, crc32: 0 }, 'x'))
        out.add(records)
        out.add(padding(records.length))
      }
      out.add(header(entry, '0'))
    },
    finish: (entry, out) => out.add(padding(entry.bytes)),
    async *end(_entries, out) {
      out.add(Buffer.alloc(2 * blockBytes))
      yield* out.all()
    },
  }
}

function paddingBytes(bytes: number): number {
  return (blockBytes - (bytes % blockBytes)) % blockBytes
}

function padding(bytes: number): Buffer {
  return Buffer.alloc(paddingBytes(bytes))
}

function header({ name, bytes }: Entry, kind: string): Buffer {
  const block = Buffer.alloc(blockBytes)
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')
  Buffer.from(name).copy(block, 0, 0, nameBytesMax)
  block.write('0000644', 100)
  block.write('0000000', 108)
  block.write('0000000', 116)
  block.write(octal(Math.min(bytes, octalMax), 11), 124)
  block.write(octal(unixSeconds, 11), 136)
  block.write('        ', 148)
  block.write(kind, 156)
  block.write('ustar', 257)
  block.write('00', 263)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148)
  return block
}

function paxRecords({ name, bytes }: Omit<Entry, 'crc32'>): Buffer {
  const records = [
    ...(Buffer.byteLength(name) > nameBytesMax ? [paxRecord('path', name)] : []),
    ...(bytes > octalMax ? [paxRecord('size', String(bytes))] : []),
  ]
  return Buffer.from(records.join(''))
}

/** `length key=value\n`, where the length counts its own digits too. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  const digits = String(bytes + String(bytes).length).length
  return `${bytes + digits}${rest}`
}
