import { Worker } from 'node:worker_threads'
import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { ReadingOptions } from '../options.ts'

/** Reads articles in threads of their own, so that a hostile page stops nobody else. */
export interface ArticlePool {
  /** Resolves to the article's text; undefined when the page is none, or took too long or too much. */
  read(html: string): Promise<string | undefined>
  stop(): Promise<void>
}

interface Task {
  readonly html: string
  readonly done: (text: string | undefined) => void
}

/** Returns a pool of threads, each started when it is first needed. */
export function createArticlePool(options: ReadingOptions, clock: Clock): ArticlePool {
  const idle: Worker[] = []
  const all = new Set<Worker>()
  const waiting: Task[] = []
  let stopped = false

  const next = (): void => {
    if (stopped || waiting.length === 0) return
    const worker = idle.pop() ?? (all.size < options.threads ? startThread() : undefined)
    const task = worker && waiting.shift()
    if (worker && task) run(worker, task)
  }
  const startThread = (): Worker => {
    const worker = new Worker(new URL('./article-thread.js', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: options.threadMib, stackSizeMb: 4 },
    })
    worker.unref()
    all.add(worker)
    return worker
  }
  const run = (worker: Worker, task: Task): void => {
    const finish = (text: string | undefined, reusable: boolean) => {
      cancel()
      worker.removeAllListeners()
      // A thread may still fail while it ends; nobody waits for it any more.
      worker.on('error', () => {})
      if (reusable) idle.push(worker)
      else {
        all.delete(worker)
        void worker.terminate()
      }
      task.done(text)
      next()
    }
    const cancel = clock.after(options.readMs, () => finish(undefined, false))
    worker.once('message', (text: string | undefined) => finish(text, true))
    worker.once('error', () => finish(undefined, false))
    worker.once('exit', () => finish(undefined, false))
    worker.postMessage(task.html)
  }

  return {
    read(html) {
      if (stopped) throw fault('READING_FAILED', 'the readers are stopping')
      if (html.length > options.articleCharsMax) return Promise.resolve(undefined)
      if (waiting.length >= options.waitingMax)
        throw fault('READING_FAILED', `${waiting.length} pages wait to be read`)
      return new Promise((resolve) => {
        waiting.push({ html, done: resolve })
        next()
      })
    },
    async stop() {
      stopped = true
      for (const { done } of waiting.splice(0)) done(undefined)
      await Promise.all([...all].map((worker) => worker.terminate()))
      all.clear()
    },
  }
}
