import { createServer } from 'node:http'

/**
 * A site of articles of about 40 KiB with 120 links each, no two alike: `page-site.js PORT`. Answers
 * any path but robots.txt.
 */
const port = Number(process.argv[2])
const words = 'herd of sheep and dogs that drive them over wide green hills to the river'.split(' ')

function sentence(seed: number): string {
  const picked = Array.from({ length: 14 }, (_, at) => words[(seed * 7 + at * at) % words.length])
  return `${picked.join(' ')} ${seed}.`
}

function page(path: string): string {
  const number = Number(path.replaceAll(/\D/g, '')) || 0
  const paragraphs = Array.from({ length: 60 }, (_, at) => {
    const text = Array.from({ length: 5 }, (_, line) => sentence(number * 311 + at * 5 + line))
    const links = [1, 2].map(
      (link) => `<a href="https://www.site${(number + at * link) % 90}.example.org/${at}">more</a>`,
    )
    return `<p class="text">${text.join(' ')} ${links.join(' and ')}</p>`
  })
  const head = `<title>Article ${number}</title><link rel="canonical" href="${path}">`
  const menu = '<nav><ul><li><a href="/">Home</a><li><a href="/about">About</a></ul></nav>'
  return `<!doctype html><html lang="en"><head>${head}</head><body>${menu}<article><h1>Article ${number}</h1>${paragraphs.join('\n')}</article><footer>The end</footer></body></html>`
}

createServer((request, response) => {
  if (request.url === '/robots.txt') response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': 'text/html' }).end(page(request.url ?? ''))
}).listen(port, '127.0.0.1')
