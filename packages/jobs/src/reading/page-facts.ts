import { Parser } from 'htmlparser2'

/** What a page says about itself, and all of its text. */
export interface PageFacts {
  readonly title: string | undefined
  readonly language: string | undefined
  /** Where the page says that it lives, resolved. */
  readonly canonical: string | undefined
  /** All visible text, a line for each block. */
  readonly text: string
}

const unseen = new Set(['script', 'style', 'noscript', 'template', 'head', 'iframe', 'object'])

const blocks = new Set(
  `address article aside blockquote br dd details dialog div dl dt fieldset figcaption figure
  footer form h1 h2 h3 h4 h5 h6 header hr legend li main nav ol option p pre section summary table
  tbody td tfoot th thead title tr ul`.split(/\s+/),
)

/** Reads a page in one pass, linear in its length, however it is nested. */
export function readFacts(html: string, pageUrl: string): PageFacts {
  const parts: string[] = []
  let hidden = 0
  let inTitle = false
  let title: string | undefined
  let language: string | undefined
  let canonical: string | undefined
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === 'html') language ??= attributes.lang?.trim() || undefined
      if (name === 'link' && /(^|\s)canonical(\s|$)/i.test(attributes.rel ?? ''))
        canonical ??= URL.parse(attributes.href ?? '', pageUrl)?.href
      if (name === 'title' && title === undefined) {
        inTitle = true
        title = ''
      }
      if (unseen.has(name)) hidden++
      else if (blocks.has(name)) parts.push('\n')
    },
    ontext(text) {
      if (inTitle) title += text
      else if (hidden === 0) parts.push(text)
    },
    onclosetag(name) {
      if (name === 'title') inTitle = false
      if (unseen.has(name)) hidden = Math.max(0, hidden - 1)
      else if (blocks.has(name)) parts.push('\n')
    },
  })
  parser.end(html)
  return { title: oneLine(title), language, canonical, text: tidy(parts.join('')) }
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
