import { createPostgres } from './servers/postgres.ts'
import { createRabbit } from './servers/rabbit.ts'
import { testWholeLife } from './whole-life.ts'

testWholeLife('RabbitMQ and PostgreSQL', async () => {
  const store = await createPostgres()
  return { store, queue: await createRabbit() }
})
