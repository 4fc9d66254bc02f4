import { promisify } from 'node:util'
import {
  brotliDecompress,
  constants,
  gunzip as gunzipCallback,
  inflate,
  inflateRaw,
  zstdDecompress,
} from 'node:zlib'
import { fault } from '../errors.ts'

type Unpack = (
  bytes: Uint8Array,
  options: { maxOutputLength: number },
) => Promise<Uint8Array<ArrayBufferLike>>

const gunzip: Unpack = promisify(gunzipCallback)
const inflateZlib: Unpack = promisify(inflate)
const inflateBare: Unpack = promisify(inflateRaw)

const unpackers: Readonly<Record<string, Unpack>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  // Some servers send deflate without its wrapper of zlib; the first byte tells.
  deflate: (bytes, options) =>
    ((bytes[0] ?? 0) & 0x0f) === 8 ? inflateZlib(bytes, options) : inflateBare(bytes, options),
  br: promisify(brotliDecompress),
  zstd: unpackFrames,
  identity: async (bytes) => bytes,
}

/** Windows of more than 8 MiB are not for the web (RFC 9659); a page of one byte could ask for 128. */
const windowLogMax = { [constants.ZSTD_d_windowLogMax]: 23 }

/** Frames of one body; each costs a decoder of its own. */
const framesMax = 1_000

/** What zstd packs is one frame after the other (RFC 8878, section 3.1); whatever follows is ignored. */
async function unpackFrames(
  bytes: Uint8Array,
  { maxOutputLength }: { maxOutputLength: number },
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let room = maxOutputLength
  let rest = bytes
  for (let frame = 0; frame === 0 || startsFrame(rest); frame++) {
    if (frame === framesMax) throw new RangeError(`more than ${framesMax} frames`)
    // An empty frame has room where there is none left.
    const { part, packedBytes } = await unpackFrame(rest, Math.max(1, room))
    parts.push(part)
    room -= part.length
    rest = rest.subarray(packedBytes)
  }
  return Buffer.concat(parts)
}

/** Whether a frame begins here: one of data, or one to be skipped. */
function startsFrame([first, second, third, fourth]: Uint8Array): boolean {
  if (first === 0x28) return second === 0xb5 && third === 0x2f && fourth === 0xfd
  return (
    first !== undefined && first >> 4 === 5 && second === 0x2a && third === 0x4d && fourth === 0x18
  )
}

function unpackFrame(
  bytes: Uint8Array,
  maxOutputLength: number,
): Promise<{ part: Uint8Array; packedBytes: number }> {
  return new Promise((resolve, reject) => {
    const options = { params: windowLogMax, maxOutputLength, info: true }
    zstdDecompress(bytes, options, (error, result) => {
      if (error) return reject(error)
      // What comes with `info` is another thing than the types say.
      const { buffer, engine } = result as unknown as {
        buffer: Uint8Array
        engine: { bytesWritten: number }
      }
      resolve({ part: buffer, packedBytes: engine.bytesWritten })
    })
  })
}

/** What we tell servers that we can unpack. */
export const acceptedEncodings = 'gzip, deflate, br, zstd'

/** Bodies packed more often than this are attacks. */
const layersMax = 3

/**
 * Returns `body` unpacked as its `content-encoding` says. No step makes more than `bytesMax` bytes:
 * beyond it, PAGE_TOO_LARGE. Throws ENCODING_BROKEN for what cannot be unpacked.
 */
export async function unpack(
  body: Uint8Array,
  contentEncoding: string | undefined,
  bytesMax: number,
): Promise<Uint8Array> {
  const layers = (contentEncoding ?? '').toLowerCase().split(',').flatMap(trimmed)
  if (layers.length > layersMax)
    throw fault('ENCODING_BROKEN', `a body packed ${layers.length} times`)
  let bytes = body
  for (const layer of layers.toReversed()) {
    const step = Object.hasOwn(unpackers, layer) ? unpackers[layer] : undefined
    if (!step) throw fault('ENCODING_BROKEN', `the encoding ${layer.slice(0, 40)} is not known`)
    if (bytes.length === 0) break
    bytes = await unpackLayer(step, bytes, layer, bytesMax)
  }
  if (bytes.length > bytesMax) throw tooLarge(bytesMax)
  return bytes
}

function trimmed(text: string): string[] {
  return text.trim() === '' ? [] : [text.trim()]
}

async function unpackLayer(
  step: Unpack,
  bytes: Uint8Array,
  layer: string,
  bytesMax: number,
): Promise<Uint8Array> {
  try {
    return await step(bytes, { maxOutputLength: bytesMax })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax)
    throw fault('ENCODING_BROKEN', `the body is no ${layer}`, { cause })
  }
}

function tooLarge(bytesMax: number) {
  return fault('PAGE_TOO_LARGE', `the page unpacks to more than ${bytesMax} bytes`)
}
