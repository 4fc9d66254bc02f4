import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'

/** What a page does to whoever fetches it. */
export interface PageKind {
  readonly name: string
  /** `done`, or the codes that a job may end dead with. */
  readonly ends: 'done' | readonly string[]
  /** The page that a job which ends done has read; of others none. */
  readonly html?: ((number: number) => string) | undefined
  /** `attempt` counts the requests for this very address from 1. */
  respond(request: IncomingMessage, response: ServerResponse, at: PageAddress): void
}

/** Which page of a kind, and how often this very address was asked for. */
export interface PageAddress {
  readonly number: number
  readonly attempt: number
}

/** The sites are closed to robots here. */
export const robotsTxt = 'User-agent: *\nDisallow: /closed\n'

const html = { 'content-type': 'text/html; charset=utf-8' }
const bomb = gzipSync(Buffer.alloc(60_000_000))
const sentence = 'The river had carried the boats past the mill long before anybody counted them. '

function page(kind: string, number: number, more = ''): string {
  const links = [number, number + 1, 0].map((to) => `<a href="/${kind}/${to}">next</a>`).join(' ')
  return `<title>Page ${number}</title><p>mark-${kind}-${number} ${links} ${more}</p>`
}

function kind(
  name: string,
  ends: PageKind['ends'],
  respond: PageKind['respond'],
  html?: PageKind['html'],
): PageKind {
  return { name, ends, respond, html }
}

/** A kind of page that can be had, by whatever way `send` goes. */
function goodKind(
  name: string,
  send: (html: string, ...exchange: Parameters<PageKind['respond']>) => void,
  html: (number: number) => string = (number) => page(name, number),
): PageKind {
  const respond: PageKind['respond'] = (request, response, at) =>
    send(html(at.number), request, response, at)
  return kind(name, 'done', respond, html)
}

/** Sends a little every now and then, until the client has gone. */
function drip(response: ServerResponse, part: string, everyMs: number): void {
  const timer = setInterval(() => response.write(part), everyMs)
  response.on('close', () => clearInterval(timer))
}

/** A page whose links lead round in circles, and that says whether it has changed. */
const plain = goodKind('plain', (text, request, response, { number }) => {
  const etag = `"plain-${number}"`
  if (request.headers['if-none-match'] === etag) response.writeHead(304, { etag }).end()
  else response.writeHead(200, { ...html, etag }).end(text)
})

const article = goodKind(
  'article',
  (text, _request, response) => response.writeHead(200, html).end(text),
  (number) => {
    const paragraph = `<p>mark-article-${number} ${sentence.repeat(6)}</p>`
    const whole = `<article>${paragraph.repeat(6)}</article><footer>Nobody reads this</footer>`
    return `<html lang="en"><head><title>Article ${number}</title></head><body>${whole}</body></html>`
  },
)

/** Four redirects, then a plain page. */
const redirect = goodKind(
  'redirect',
  (_text, _request, response, { number }) => {
    const location = number >= 3_000 ? `/plain/${number % 1_000}` : `/redirect/${number + 1_000}`
    response.writeHead(302, { location }).end()
  },
  (number) => page('plain', number % 1_000),
)

const slow = goodKind('slow', (text, _request, response, { number }) => {
  const timer = setTimeout(() => response.writeHead(200, html).end(text), 50 + (number % 7) * 50)
  response.on('close', () => clearTimeout(timer))
})

const strangeBytes = '<meta charset=utf-16>caf\xe9 \xff\xfe\x80'

/** Named as UTF-8 and as nonsense, and neither. */
const charset = goodKind(
  'charset',
  (_text, _request, response, { number }) => {
    const types = ['text/html; charset=utf-8', 'text/html; charset=klingon', 'text/html']
    response.writeHead(200, { 'content-type': types[number % 3] })
    response.end(Buffer.from(page('charset', number) + strangeBytes, 'latin1'))
  },
  (number) => {
    const bytes = Buffer.from(page('charset', number) + strangeBytes, 'latin1')
    return new TextDecoder().decode(bytes)
  },
)

const huge = goodKind(
  'huge',
  (text, _request, response) => response.writeHead(200, html).end(text),
  (number) => page('huge', number, 'x '.repeat(300_000)),
)

const flaky = goodKind('flaky', (text, _request, response, { attempt }) => {
  if (attempt < 2) response.writeHead(500).end()
  else response.writeHead(200, html).end(text)
})

const busy = goodKind('busy', (text, _request, response, { attempt }) => {
  if (attempt < 2) response.writeHead(429, { 'retry-after': '1' }).end()
  else response.writeHead(200, html).end(text)
})

/** Each is met by a job now and then; most pages of a site are good ones. */
export const pageKinds: readonly PageKind[] = [
  ...[plain, article, redirect, slow, charset, huge, flaky, busy],
  ...[plain, plain, plain, article, charset],
  kind('circle', ['REDIRECTS_TOO_MANY'], (_, response, { number }) =>
    response.writeHead(302, { location: `/circle/${(number + 1) % 5}` }).end(),
  ),
  kind('endless', ['PAGE_TOO_LARGE', 'FETCH_TIMEOUT'], (_, response) => {
    response.writeHead(200, html)
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  }),
  kind('dripping', ['FETCH_TIMEOUT'], (_, response) => {
    response.writeHead(200, html)
    drip(response, 'x', 100)
  }),
  kind('bomb', ['PAGE_TOO_LARGE', 'FETCH_TIMEOUT'], (_, response) =>
    response.writeHead(200, { ...html, 'content-encoding': 'gzip' }).end(bomb),
  ),
  kind('broken', ['PAGE_UNAVAILABLE'], (_, response) => response.writeHead(500).end()),
  kind('missing', ['PAGE_REFUSED'], (_, response) => response.writeHead(404).end()),
  kind('cut', ['HOST_FAILED'], (_, response) => {
    response.writeHead(200, { ...html, 'content-length': '100000' }).write('half')
    response.destroy()
  }),
  kind('closed', ['ROBOTS_DISALLOW'], (_, response) => response.end('not to be read')),
  kind('inward', ['ADDRESS_REFUSED'], (_, response, { number }) => {
    const places = ['http://169.254.169.254/', 'http://0x7f000001:1/', 'http://[::ffff:10.0.0.1]/']
    response.writeHead(302, { location: places[number % places.length] }).end()
  }),
]
