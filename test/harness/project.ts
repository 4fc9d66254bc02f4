import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The project's folder; the compiled tests lie in test/dist. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The command, as a user would run it. */
export const bin = join(root, 'packages', 'drover', 'bin', 'drover.js')

/** The sample server of the tour and the course. */
export const homeServer = join(root, 'examples', 'home-server', 'server.js')
