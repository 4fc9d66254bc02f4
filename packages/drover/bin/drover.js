#!/usr/bin/env node
// Runs the command on a Node that is new enough. This file alone must run on older ones (20 on),
// so it uses nothing but Node's own modules.
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import module from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const nodeNeeded = 24
const here = dirname(realpathSync(fileURLToPath(import.meta.url)))
const compiled = join(here, '..', 'dist', 'src', 'main.js')

if (!existsSync(compiled)) stop('drover is not built here; run "npm run build" first')
else if (Number.parseInt(process.versions.node, 10) >= nodeNeeded) await runHere()
else runOnNewer()

async function runHere() {
  // What was compiled once is not compiled again: a server of a herd is up a quarter sooner.
  module.enableCompileCache?.()
  const { main } = await import(compiled)
  await main(process.argv.slice(2))
}

function runOnNewer() {
  const node = findNode()
  if (!node)
    stop(
      `drover needs Node.js ${nodeNeeded} or newer; this is ${process.version}. Install it, or add the npm package "node@${nodeNeeded}" beside drover`,
    )
  // The channel tells the child when this process is gone, however it ended.
  const child = spawn(node, process.argv.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
    process.on(signal, () => child.kill(signal))
  child.on('error', (error) => stop(`${node}: ${error.message}`))
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
}

/** Looks for the npm package "node" in the folders above this file, as an import would. */
function findNode() {
  for (let folder = here; ; folder = dirname(folder)) {
    const file = join(folder, 'node_modules', 'node', 'bin', 'node')
    if (existsSync(file)) return file
    if (folder === dirname(folder)) return undefined
  }
}

function stop(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
