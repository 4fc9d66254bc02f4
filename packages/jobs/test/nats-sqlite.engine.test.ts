import { createNats } from './servers/nats.ts'
import { testWholeLife } from './whole-life.ts'

testWholeLife('NATS and SQLite', async () => ({ queue: await createNats() }))
