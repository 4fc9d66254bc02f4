import { type Attributes, readTags, type TagListener } from './tags.ts'

/** What a page says about itself, and all of its text. */
export interface PageFacts {
  readonly title: string | undefined
  readonly language: string | undefined
  /** Where the page says that it lives, resolved. */
  readonly canonical: string | undefined
  /** All visible text, a line for each block. */
  readonly text: string
}

/** Their content is no markup, so that they end with their own tag and nowhere else. */
const raw = new Set(['script', 'style', 'iframe', 'noembed', 'noframes'])
/** What is shown only when something else is not; one that is never closed hides nothing. */
const hiding = new Set(['noscript', 'template', 'object'])

const blocks = new Set(
  `address article aside blockquote body br caption center dd details dialog dir div dl dt fieldset
  figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol
  optgroup option p pre search section summary table tbody td tfoot th thead tr ul`.split(/\s+/),
)

/** Longer ones are no names of languages, in characters. */
const languageCharsMax = 64

/** Reads a page in one pass, linear in its length, however it is nested. */
export function readFacts(html: string, pageUrl: string): PageFacts {
  const reader = new FactReader(pageUrl)
  readTags(html, reader)
  const { title, language, canonical, parts } = reader
  return { title: oneLine(title), language, canonical, text: tidy(parts.join('')) }
}

class FactReader implements TagListener {
  readonly attributes = { html: ['lang'], link: ['rel', 'href'] }
  readonly parts: string[] = []
  title: string | undefined
  language: string | undefined
  canonical: string | undefined
  readonly #pageUrl: string
  /** Which raw element is open, or which title. */
  #within: string | undefined
  #isTitle = false
  #hidden = 0
  /** How many parts there were before the first of what is hidden. */
  #shown = 0

  constructor(pageUrl: string) {
    this.#pageUrl = pageUrl
  }

  onOpen(name: string, attributes: Attributes, isForeign: boolean) {
    if (raw.has(name)) this.#within = name
    else if (name === 'title') this.#openTitle(isForeign)
    else if (hiding.has(name)) this.#hide()
    else if (blocks.has(name)) this.parts.push('\n')
    else this.#note(name, attributes)
  }

  onClose(name: string) {
    if (name === this.#within) {
      this.#within = undefined
      this.#isTitle = false
    } else if (hiding.has(name)) this.#show()
    else if (blocks.has(name)) this.parts.push('\n')
  }

  onText(text: string) {
    if (this.#isTitle) this.title += text
    else if (this.#within === undefined) this.parts.push(text)
  }

  /** A picture has a title, too; it is not the page's, nor part of its text. */
  #openTitle(isForeign: boolean) {
    this.#within = 'title'
    this.#isTitle = this.title === undefined && !isForeign
    if (this.#isTitle) this.title = ''
  }

  #hide() {
    if (this.#hidden++ === 0) this.#shown = this.parts.length
  }

  #show() {
    if (this.#hidden === 0 || --this.#hidden > 0) return
    this.parts.length = this.#shown
  }

  #note(name: string, { lang, rel, href }: Attributes) {
    if (name === 'html' && lang !== undefined && lang.length <= languageCharsMax)
      this.language ??= lang.trim() || undefined
    if (name !== 'link' || href === undefined || !/(^|\s)canonical(\s|$)/i.test(rel ?? '')) return
    const url = URL.parse(href, this.#pageUrl)
    if (url && /^https?:$/.test(url.protocol)) this.canonical ??= url.href
  }
}

function oneLine(text: string | undefined): string | undefined {
  const line = text?.replace(/\s+/g, ' ').trim().slice(0, 1_000)
  return line === '' ? undefined : line
}

/** Returns `text` without runs of blanks and without empty lines. */
function tidy(text: string): string {
  return text
    .split('\n')
    .flatMap((line) => {
      const bare = line.replace(/\s+/g, ' ').trim()
      return bare === '' ? [] : [bare]
    })
    .join('\n')
}
