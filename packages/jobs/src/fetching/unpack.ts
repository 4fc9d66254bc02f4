import { promisify } from 'node:util'
import {
  brotliDecompress,
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
  zstd: promisify(zstdDecompress),
  identity: async (bytes) => bytes,
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
