// A door of http-proxy-3 over kept connections. Usage: http-proxy-3.js <listenPort> <upstreamPort>...
import { Agent, createServer } from 'node:http'
import { createProxyServer } from 'http-proxy-3'

const [port = 0, ...upstreams] = process.argv.slice(2).map(Number)
let turn = 0

const proxy = createProxyServer({
  agent: new Agent({ keepAlive: true, maxSockets: 64 }),
  xfwd: true,
})
proxy.on('error', (_error, _request, response) => {
  if ('writeHead' in response && !response.headersSent) response.writeHead(502)
  response.end()
})
const server = createServer((request, response) => {
  proxy.web(request, response, {
    target: `http://127.0.0.1:${upstreams[turn++ % upstreams.length]}`,
  })
})
server.keepAliveTimeout = 300_000
server.listen(port, '127.0.0.1')
