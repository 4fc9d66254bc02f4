import { after } from 'node:test'
import { startPostgres } from './postgres-server.ts'
import { testStore } from './store-contract.ts'

const server = await startPostgres()
after(() => server.stop())

await testStore(server.url)
