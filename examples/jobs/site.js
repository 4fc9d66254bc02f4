// A site to be fetched, and a receiver of callbacks: `node site.js 8010`. Nothing outside this machine is asked.
import { createServer } from 'node:http'

const port = Number(process.argv[2] ?? process.env.PORT ?? 8010)
const host = '127.0.0.1'
const pages = 40

/** Some pages move, some are slow, one is gone; the others link to each other and to elsewhere. */
function page(number) {
  const links = [number + 1, number * 2, 1].map(
    (to) => `<a href="/page/${to % pages}">page ${to % pages}</a>`,
  )
  return `<!doctype html><html lang="en"><title>Page ${number}</title><body><p>This is page ${number}.</p>
    <p>${links.join(', ')}, <a href="http://www.example.org/">elsewhere</a></p></body></html>`
}

createServer((request, response) => {
  const { pathname } = new URL(request.url, `http://${host}`)
  if (request.method === 'POST') {
    console.log(`called back: ${request.headers['webhook-id']}`)
    request.resume().on('end', () => response.writeHead(204).end())
    return
  }
  if (pathname === '/robots.txt') {
    response.end('User-agent: *\nDisallow: /page/13\n')
    return
  }
  const number = Number(/^\/page\/(\d+)$/.exec(pathname)?.[1] ?? Number.NaN)
  response.setHeader('content-type', 'text/html; charset=utf-8')
  if (!(number < pages) || number === 7) response.writeHead(404).end()
  else if (number % 10 === 9) response.writeHead(302, { location: `/page/${number - 1}` }).end()
  else setTimeout(() => response.end(page(number)), number % 5 === 0 ? 300 : 0)
}).listen(port, host, () =>
  console.log(`a site of ${pages} pages on http://${host}:${port}/page/0`),
)
