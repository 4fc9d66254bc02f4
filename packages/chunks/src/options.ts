/** Bytes that are read, scanned and sent at one time. Larger ones use more memory, smaller ones more calls. */
export const segmentBytes = 4 * 2 ** 20

/** Bytes that are read and scanned at one time on this machine; more leave the processor's cache. */
export const readBytes = 1 * 2 ** 20

/** The most chunks of one file, unless the caller says otherwise. */
export const chunksMaxDefault = 16_000_000

/** The largest record, line of a text, or match that is kept in memory, in bytes. */
export const pieceBytesMax = 64 * 2 ** 20

/** How long a pattern may run on one segment, in ms, before it is taken for one that runs away. */
export const patternMsMax = 5_000

/** The longest match of a pattern, in bytes: so much is looked ahead beyond a segment. */
export const matchBytesMax = 64 * 2 ** 10

/** The longest word of a letters chunk, in bytes. */
export const wordBytesMax = 64 * 2 ** 10

/** The most groups: letter chunks, or parts dealt out line by line. Each is a file while it grows. */
export const groupsMax = 512
