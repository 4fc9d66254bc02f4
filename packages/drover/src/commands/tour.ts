import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Loaded, loadOptions } from '../config/load.ts'
import { fault } from '../errors.ts'

/** Three things to try, printed below what runs. */
export const tourHints = [
  'Three things to try in another terminal:',
  '  curl http://127.0.0.1:8080/home        again and again: another replica answers each time',
  '  npx drover kill web 2                  nobody notices; npx drover status shows its successor',
  '  npx drover scale web 5                 two more, ready before they get a request',
  '',
]

/** Returns the configuration of the tour: three replicas of the sample server behind port 8080. */
export async function loadTour(): Promise<Loaded> {
  const command = [process.execPath, sampleServer()]
  const service = { command, replicas: 3, health: { path: '/heartbeat' } }
  const config = {
    services: { web: service },
    listeners: [{ address: '127.0.0.1:8080', service: 'web' }],
    admin: { address: '127.0.0.1:8081' },
  }
  return loadOptions(config, process.cwd(), (key) => key)
}

/** The sample server lies in the examples of the project, above the compiled file. */
function sampleServer(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const file = join(here, '..', '..', '..', '..', '..', 'examples', 'home-server', 'server.js')
  if (existsSync(file)) return file
  throw fault(
    'USAGE',
    'there is no drover.yaml here; name one with -c, or see drover balance --help',
  )
}
