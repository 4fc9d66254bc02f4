import type { CourseAnswer } from './answer.ts'
import { type CourseInput, idOf, optionalTextOf, textOf } from './input.ts'
import type { CourseManager } from './manager.ts'

/** One request of the course's table. */
export interface CourseRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** The primary alone does it. Registering a consumer is the read-only manager's, too. */
  readonly primaryOnly: boolean
  run(manager: CourseManager, input: CourseInput): Promise<CourseAnswer>
}

/** Every request that the course's managers know. */
export const courseRoutes: readonly CourseRoute[] = [
  {
    method: 'GET',
    path: '/brokers',
    primaryOnly: false,
    run: (manager) => manager.brokers(),
  },
  {
    method: 'GET',
    path: '/brokers/add',
    primaryOnly: true,
    run: (manager, input) => manager.addBroker(textOf(input, 'broker_name')),
  },
  {
    method: 'GET',
    path: '/brokers/rm',
    primaryOnly: true,
    run: (manager, input) => manager.removeBroker(textOf(input, 'broker_name')),
  },
  {
    method: 'GET',
    path: '/brokers/test',
    primaryOnly: true,
    run: (manager, input) => manager.testBroker(textOf(input, 'broker_name')),
  },
  {
    method: 'GET',
    path: '/topics',
    primaryOnly: false,
    run: (manager) => manager.topics(),
  },
  {
    method: 'POST',
    path: '/topics/add',
    primaryOnly: true,
    run: (manager, input) => manager.addTopic(textOf(input, 'topic'), textOf(input, 'part')),
  },
  {
    method: 'POST',
    path: '/producer/register',
    primaryOnly: true,
    run: (manager, input) =>
      manager.registerProducer(textOf(input, 'topic'), optionalTextOf(input, 'part')),
  },
  {
    method: 'POST',
    path: '/producer/produce',
    primaryOnly: true,
    run: (manager, input) => manager.produce(idOf(input, 'producer_id'), textOf(input, 'message')),
  },
  {
    method: 'POST',
    path: '/consumer/register',
    primaryOnly: false,
    run: (manager, input) =>
      manager.registerConsumer(textOf(input, 'topic'), optionalTextOf(input, 'part')),
  },
  {
    method: 'GET',
    path: '/consumer/consume',
    primaryOnly: false,
    run: (manager, input) => manager.consume(idOf(input, 'consumer_id')),
  },
  {
    method: 'GET',
    path: '/size',
    primaryOnly: false,
    run: (manager, input) => manager.size(idOf(input, 'consumer_id')),
  },
]
