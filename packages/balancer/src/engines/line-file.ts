import { closeSync, openSync, write } from 'node:fs'

const pendingCharsMax = 8 << 20

/**
 * A file that lines are added to without anybody waiting for the disk; where that does not keep up
 * lines are left out.
 */
export class LineFile {
  readonly file: string
  readonly #descriptor: number
  #pending = ''
  #writing = false
  #closed = false

  /** `file` is a path, or `-` for standard output. */
  constructor(file: string) {
    this.file = file
    this.#descriptor = file === '-' ? 1 : openSync(file, 'a', 0o640)
  }

  write(line: string): void {
    if (this.#pending.length > pendingCharsMax || this.#closed) return
    this.#pending += `${line}\n`
    this.#flush()
  }

  /** Closes the file once what is pending is written. */
  close(): void {
    this.#closed = true
    this.#flush()
  }

  #flush(): void {
    if (this.#writing) return
    if (this.#pending === '') {
      if (this.#closed && this.#descriptor !== 1) closeSync(this.#descriptor)
      return
    }
    const bytes = Buffer.from(this.#pending)
    this.#pending = ''
    this.#writing = true
    write(this.#descriptor, bytes, 0, bytes.length, null, () => {
      this.#writing = false
      if (this.#pending !== '' || this.#closed) this.#flush()
    })
  }
}
