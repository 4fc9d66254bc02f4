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

/** What a page may say before its body, where no tag says that this begins; a piece at a time. */
const headPiece = new RegExp(
  [
    String.raw`\s+|<!--[\s\S]*?-->|<![^>]*>`,
    String.raw`<\/?(?:html|head|meta|link|base|basefont|bgsound)(?=[\s/>])[^>]*>`,
    String.raw`<(title|script|style|noscript|template)(?=[\s/>])[^>]*>[\s\S]*?<\/\1\s*>`,
  ].join('|'),
  'iy',
)

/**
 * Returns a page with tags for its html, head and body, as a browser would add them: linkedom does
 * not, and a title in the body would be part of the article.
 */
function asDocument(html: string): string {
  if (/<html[\s>]/i.test(html) && /<body[\s>]/i.test(html)) return html
  let at = 0
  for (;;) {
    headPiece.lastIndex = at
    if (!headPiece.test(html)) break
    at = headPiece.lastIndex
  }
  const head = html.slice(0, at).replaceAll(/<!doctype[^>]*>|<\/?(html|head)(\s[^>]*)?>/gi, '')
  const body = html.slice(at).replace(/^<body(\s[^>]*)?>/i, '')
  return `<!doctype html><html><head>${head}</head><body>${body}</body></html>`
}
