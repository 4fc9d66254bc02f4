import { isProbablyReaderable, Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'

/**
 * Returns the main text of an article, exactly as readability gives it; undefined for a page that is
 * no article. Takes some 20 ms of the thread, and much more for large pages.
 */
export function readArticle(html: string): string | undefined {
  const { document } = parseHTML(asDocument(html))
  if (!isProbablyReaderable(document)) return undefined
  return new Readability(document).parse()?.textContent ?? undefined
}

/** linkedom makes no html and body of its own when a page leaves them out. */
function asDocument(html: string): string {
  if (/<html[\s>]/i.test(html) && /<body[\s>]/i.test(html)) return html
  return `<!doctype html><html><head></head><body>${html}</body></html>`
}
