import { createServer } from 'node:http'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'

// @tus/server as its README sets it up: PORT and the folder of its uploads are its words.
const [port, directory = ''] = process.argv.slice(2)
const tus = new Server({ path: '/files', datastore: new FileStore({ directory }) })
createServer((request, response) => {
  void tus.handle(request, response)
}).listen(Number(port), '127.0.0.1')
