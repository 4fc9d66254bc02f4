import { fileURLToPath } from 'node:url'

/** Where the built page lies; an admin server serves this folder as it is. */
export const dashboardFolder: string = fileURLToPath(new URL('../public', import.meta.url))
