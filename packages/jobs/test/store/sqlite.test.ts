import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { testStore } from './store-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'drover-store-'))
after(() => rmSync(folder, { recursive: true }))

await testStore(join(folder, 'jobs.sqlite'))
