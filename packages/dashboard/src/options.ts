/** Ms between two readings of the counters. Shorter shows more and costs the instance more. */
export const readingMs = 2_000
/** Readings that a chart holds: five minutes. */
export const readingsMax = 150
/** Events that the page remembers; the instance itself keeps about as many. */
export const eventsMax = 1_000
/** News come in bursts: the state is read once for all that come within this many ms. */
export const gatherMs = 120
/** Ms before the first and the longest wait before a lost stream is opened again. */
export const reconnectMs = { first: 400, most: 5_000 } as const
/** An answer that takes longer than this many ms has failed. */
export const answerMsMax = 30_000
/** Ms for which a notice of success stays; those of failures stay until they are closed. */
export const noticeMs = 6_000
