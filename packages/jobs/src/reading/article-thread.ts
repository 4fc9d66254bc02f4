import { parentPort } from 'node:worker_threads'
import { readArticle } from './article.ts'

/** Reads one page after the other; a page that readability cannot digest is no article. */
parentPort?.on('message', (html: string) => {
  let text: string | undefined
  try {
    text = readArticle(html)
  } catch {
    // Nesting deeper than the stack, or markup that the parser trips over: its whole text stands in.
    text = undefined
  }
  parentPort?.postMessage(text)
})
