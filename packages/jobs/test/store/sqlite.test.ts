import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { testRetention } from './retention-contract.ts'
import { testStore } from './store-contract.ts'
import { testSubmissions } from './submission-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'drover-store-'))
after(() => rmSync(folder, { recursive: true }))

await testStore(join(folder, 'jobs.sqlite'))
await testSubmissions(join(folder, 'submissions.sqlite'))
await testRetention(join(folder, 'retention.sqlite'))
