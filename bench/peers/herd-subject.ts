import { createTopology, serveHerd } from '@drover/herd'

/** One server with its log on. Arguments: port, directory of the log, records at most. */
const [port = '0', logDirectory = '.', recordsMax = '1000000'] = process.argv.slice(2)
const server = await serveHerd('Clark', createTopology('bench', { Clark: Number(port) }, []), {
  key: Buffer.from('the key of the benchmark'),
  logDirectory,
  recordsMax: Number(recordsMax),
})
process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)))
