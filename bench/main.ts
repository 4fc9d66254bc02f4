import { claims } from './claims.ts'
import { Lab } from './lab/lab.ts'
import { printMachine } from './lab/machine.ts'

const [name] = process.argv.slice(2)
const chosen = name === 'all' ? claims : claims.filter((claim) => claim.name === name)

if (chosen.length === 0) {
  if (name !== undefined) process.stderr.write(`there is no benchmark "${name}"\n`)
  process.stdout.write('npm run bench -- <name>|all\n\n')
  for (const claim of claims) process.stdout.write(`  ${claim.name.padEnd(16)}${claim.about}\n`)
  process.exit(name === undefined ? 0 : 2)
}

for (const claim of chosen) {
  const lab = new Lab()
  let isInterrupted = false
  const interrupt = (): void => {
    isInterrupted = true
    void lab.close().then(() => process.exit(130))
  }
  process.once('SIGINT', interrupt)
  process.once('SIGTERM', interrupt)
  try {
    printMachine(lab, claim.name)
    await claim.run(lab)
    lab.print()
  } catch (error) {
    if (isInterrupted) break
    process.stderr.write(`${claim.name}: ${error instanceof Error ? error.stack : error}\n`)
    process.exitCode = 1
  } finally {
    await lab.close()
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', interrupt)
  }
}
