import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getuid } from 'node:process'
import type { Lab } from './lab.ts'
import type { Program } from './processes.ts'
import { findProgram } from './programs.ts'

/** Returns an nginx of one worker in a folder of its own, with `servers` inside its http block. */
export function nginxProgram(lab: Lab, name: string, servers: string): Program {
  const folder = join(lab.directory, name)
  mkdirSync(folder, { recursive: true })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `  ${kind}_temp_path ${folder}/${kind};`)
    .join('\n')
  const config = `
${getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 16384; }
http {
  access_log off;
  tcp_nodelay on;
${temporary}
${servers}
}
`
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, config)
  return {
    command: findProgram('nginx') ?? 'nginx',
    args: ['-p', folder, '-e', 'stderr', '-c', file],
  }
}
