// A door of @fastify/http-proxy. Usage: fastify-http-proxy.js <listenPort> <upstreamPort>...
import proxy from '@fastify/http-proxy'
import fastify from 'fastify'

const [port = 0, ...upstreams] = process.argv.slice(2).map(Number)
let turn = 0

const server = fastify({ logger: false, keepAliveTimeout: 300_000, bodyLimit: 2 ** 40 })
await server.register(proxy, {
  upstream: '',
  undici: { connections: 64, pipelining: 1 },
  replyOptions: {
    getUpstream: () => `http://127.0.0.1:${upstreams[turn++ % upstreams.length]}`,
  },
})
await server.listen({ host: '127.0.0.1', port })
