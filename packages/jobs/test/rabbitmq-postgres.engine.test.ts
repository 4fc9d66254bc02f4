import { createPostgres } from './servers/postgres.ts'
import { createRabbit } from './servers/rabbit.ts'
import { testWholeLife } from './whole-life.ts'

testWholeLife('RabbitMQ and PostgreSQL', {
  queue: await createRabbit(),
  store: await createPostgres(),
})
