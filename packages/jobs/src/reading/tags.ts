import { Tokenizer } from 'htmlparser2'

/** Attributes by their names in lower case. */
export type Attributes = Readonly<Record<string, string | undefined>>

/** What is told of a page, in its order. Tags are told as they stand there, closed or not. */
export interface TagListener {
  /** The attributes that are read, for each tag that has any. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
  /** `isForeign`: within svg or math. */
  onOpen(name: string, attributes: Attributes, isForeign: boolean): void
  onClose?(name: string): void
  /** Text in pieces, its entities decoded. */
  onText?(text: string): void
}

/** Longer names are nobody's, in characters. */
const nameCharsMax = 32
/** Longer values count as not there, in characters. */
const valueCharsMax = 4_096

const none: Attributes = {}
const foreign = new Set(['svg', 'math'])

/**
 * Tells `listener` the tags and the text of `html`. Linear in its length whatever it holds: no tree is
 * built and no open element remembered, which is what takes parsers hours over hostile nesting.
 */
export function readTags(html: string, listener: TagListener): void {
  const tokenizer = new Tokenizer({ decodeEntities: true }, new TagReader(html, listener))
  tokenizer.write(html)
  tokenizer.end()
}

/** Makes tags of what the tokenizer finds. */
class TagReader {
  readonly #html: string
  readonly #listener: TagListener
  #name = ''
  #wanted: readonly string[] | undefined
  #attributes: Record<string, string | undefined> | undefined
  /** The attribute that is being read; undefined when it is not wanted. */
  #attribute: string | undefined
  #value = ''
  #foreignDepth = 0

  constructor(html: string, listener: TagListener) {
    this.#html = html
    this.#listener = listener
  }

  onopentagname(start: number, end: number): void {
    this.#name = this.#nameAt(start, end)
    const { attributes } = this.#listener
    this.#wanted = Object.hasOwn(attributes, this.#name) ? attributes[this.#name] : undefined
    this.#attributes = this.#wanted && {}
  }

  onattribname(start: number, end: number): void {
    const name = this.#wanted && this.#nameAt(start, end)
    // Of two with one name the first counts.
    const isWanted =
      name !== undefined && this.#wanted?.includes(name) && this.#attributes?.[name] === undefined
    this.#attribute = isWanted ? name : undefined
    this.#value = ''
  }

  onattribdata(start: number, end: number): void {
    if (this.#attribute !== undefined && this.#value.length <= valueCharsMax)
      this.#value += this.#html.slice(start, Math.min(end, start + valueCharsMax + 1))
  }

  onattribentity(codePoint: number): void {
    if (this.#attribute !== undefined && this.#value.length <= valueCharsMax)
      this.#value += String.fromCodePoint(codePoint)
  }

  onattribend(): void {
    if (this.#attribute !== undefined && this.#attributes && this.#value.length <= valueCharsMax)
      this.#attributes[this.#attribute] = this.#value
    this.#attribute = undefined
  }

  onopentagend(): void {
    const isForeign = this.#foreignDepth > 0
    if (foreign.has(this.#name)) this.#foreignDepth++
    this.#listener.onOpen(this.#name, this.#attributes ?? none, isForeign)
  }

  /** Only svg and math know tags that close themselves. */
  onselfclosingtag(): void {
    this.onopentagend()
    if (this.#foreignDepth > 0) this.#close(this.#name)
  }

  onclosetag(start: number, end: number): void {
    this.#close(this.#nameAt(start, end))
  }

  ontext(start: number, end: number): void {
    this.#listener.onText?.(this.#html.slice(start, end))
  }

  ontextentity(codePoint: number): void {
    this.#listener.onText?.(String.fromCodePoint(codePoint))
  }

  /** Within svg and math, what looks like a script is no raw text. */
  isInForeignContext(): boolean {
    return this.#foreignDepth > 0
  }

  oncdata(start: number, end: number): void {
    if (this.#foreignDepth > 0) this.ontext(start, end)
  }

  oncomment(): void {}
  ondeclaration(): void {}
  onprocessinginstruction(): void {}
  onend(): void {}

  #close(name: string): void {
    if (foreign.has(name)) this.#foreignDepth = Math.max(0, this.#foreignDepth - 1)
    this.#listener.onClose?.(name)
  }

  #nameAt(start: number, end: number): string {
    return end - start > nameCharsMax ? '' : this.#html.slice(start, end).toLowerCase()
  }
}
