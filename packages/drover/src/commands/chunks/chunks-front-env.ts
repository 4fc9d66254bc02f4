/**
 * For glibc: buffers of 256 KiB and more go back to the system as soon as they are freed, for good,
 * instead of staying in its heap. Costs a page fault each 4 KiB, and keeps memory flat.
 */
export const frontEnv = {
  MALLOC_ARENA_MAX: 2,
  MALLOC_MMAP_THRESHOLD_: 262_144,
  MALLOC_TRIM_THRESHOLD_: 262_144,
}
