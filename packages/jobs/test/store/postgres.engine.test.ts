import { after } from 'node:test'
import { startPostgres } from '../servers/postgres.ts'
import { testStore } from './store-contract.ts'
import { testSubmissions } from './submission-contract.ts'

const server = await startPostgres()
after(() => server.close())

await testStore(server.url)
await testSubmissions(server.url)
