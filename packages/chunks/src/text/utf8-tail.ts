/** Returns how many bytes at the end belong to a UTF-8 character whose last bytes are missing. */
export function brokenBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const wanted = bytesOfLead(bytes[bytes.length - back] as number)
    if (wanted > 0) return wanted > back ? back : 0
  }
  return 0
}

/** Returns how many bytes a character that has begun lacks; 0 for no bytes. */
export function missingBytes(begun: Buffer): number {
  return begun.length === 0 ? 0 : bytesOfLead(begun[0] as number) - begun.length
}

/** Bytes of the character that a byte begins; 0 for a byte that goes on with one. */
function bytesOfLead(byte: number): number {
  if (byte < 0x80) return 1
  if (byte < 0xc0) return 0
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : 4
}
