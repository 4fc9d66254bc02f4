import { after } from 'node:test'
import { startPostgres } from '../servers/postgres.ts'
import { testStore } from './store-contract.ts'

const server = await startPostgres()
after(() => server.close())

await testStore(server.url)
