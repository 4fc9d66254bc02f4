import { after } from 'node:test'
import { startPostgres } from '../servers/postgres.ts'
import { fuzzApi } from './fuzz-contract.ts'

const server = await startPostgres()
after(() => server.close())

await fuzzApi(server.url)
