/** Takes the bytes of groups as they come: those of one group are put one after the other. */
export interface Groups {
  /** Adds `bytes` from `start` to `end` to a group; they are copied. */
  append(group: number, bytes: Uint8Array, start: number, end: number): void
}
