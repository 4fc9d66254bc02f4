import { after } from 'node:test'
import pg from 'pg'
import { startPostgres } from '../servers/postgres.ts'
import { testRetention } from './retention-contract.ts'
import { testStore } from './store-contract.ts'
import { testSubmissions } from './submission-contract.ts'

const server = await startPostgres()
after(() => server.close())

await testStore(server.url)
await testSubmissions(server.url)
await testRetention(await createDatabase('retention'))

/** Another database of the same server: an empty store. */
async function createDatabase(name: string): Promise<string> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  return server.url.replace(/[^/]+$/, name)
}
