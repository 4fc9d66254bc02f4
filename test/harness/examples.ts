import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from './drover.ts'
import { root } from './project.ts'

/**
 * Copies the examples to a folder of the test's own and returns the folder of `name` there. Its
 * configurations are as written but for the ports, which are free ones.
 */
export async function copyExample(
  name: string,
  files: readonly string[] = ['drover.yaml'],
): Promise<string> {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'examples'))
  await cp(join(root, 'examples'), join(folder, 'examples'), { recursive: true })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const example = join(folder, 'examples', name)
  for (const file of files) {
    const path = join(example, file)
    const text = await readFile(path, 'utf8')
    const port = await freePort()
    const moved = text.replaceAll(/address: \S+/g, `address: 127.0.0.1:${port}`)
    await writeFile(path, `${moved}\nadmin: { address: '127.0.0.1:0' }\n`)
  }
  return example
}

/** Returns a port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
