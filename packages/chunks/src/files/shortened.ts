/**
 * Returns what is thrown when a file ends before it should. It looks like an error of the system, which
 * the caller names; threads load nothing that a fault would need, for that costs more than their start.
 */
export function shortened(at: number): Error {
  const error = new Error(`the file became shorter: it ends at byte ${at}`)
  return Object.assign(error, { syscall: 'read' })
}
