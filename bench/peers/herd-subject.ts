import { serveHerd, type Topology } from '@drover/herd'

/** One server with its log on. Arguments: name, topology as JSON, directory of the log. */
const [name = '', topology = '{}', logDirectory = '.'] = process.argv.slice(2)
const server = await serveHerd(name, JSON.parse(topology) as Topology, {
  key: Buffer.from('the key of the benchmark'),
  logDirectory,
})
process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)))
