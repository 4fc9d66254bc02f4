/**
 * The map of the house: each package, and the packages that it may see. Nothing sees a package above
 * itself, and parts never see each other sideways.
 */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  ring: [],
  supervisor: ['kernel'],
  balancer: ['ring', 'kernel'],
  queue: ['ring', 'kernel'],
  herd: ['kernel'],
  jobs: ['queue', 'kernel'],
  chunks: ['queue', 'kernel'],
  dashboard: [],
  drover: [
    'kernel',
    'ring',
    'supervisor',
    'balancer',
    'queue',
    'herd',
    'jobs',
    'chunks',
    'dashboard',
  ],
}

/**
 * Packages that are being built, and so have not all of their shape yet. Whoever writes the README of
 * one takes it off this list; a test sees to it.
 */
export const underConstruction: readonly string[] = []

/** What lies at the top, beside files. */
export const topFolders = ['.ci', 'bench', 'docs', 'examples', 'packages', 'scripts', 'test']

/** Who may read the clock or chance by themselves, and why. */
export const exceptions: Readonly<Record<string, string>> = {
  'packages/kernel/src/clock.ts': 'it is the clock',
  'packages/kernel/src/random.ts': 'it is chance',
  'packages/dashboard/src/clock.ts': 'a browser has no kernel',
}

/** Who reads the environment beside the command, and why. */
export const environmentReaders: Readonly<Record<string, string>> = {
  'packages/herd/src/herd-key.ts': "the herd's key stands in no configuration",
  'packages/herd/src/places/open-places.ts': 'the key for places stands in no configuration',
  'packages/supervisor/src/process/start.ts': 'replicas see what their supervisor sees',
  'packages/supervisor/src/processes.ts': 'ps is found by its PATH',
  'packages/supervisor/src/runtimes/docker.ts': 'DOCKER_HOST means what it means to docker',
  'packages/supervisor/src/watcher.ts': 'the watcher is found by its PATH',
}
