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

/** One thread, and what it is told to do with its next answer; undefined when it is idle. */
interface Thread {
  readonly worker: Worker
  finish: ((text: string | undefined, reusable: boolean) => void) | undefined
}

/** Returns a pool of threads, each started when it is first needed. */
export function createArticlePool(options: ReadingOptions, clock: Clock): ArticlePool {
  const idle: Thread[] = []
  const all = new Set<Thread>()
  const waiting: Task[] = []
  let stopped = false

  const next = (): void => {
    if (stopped || waiting.length === 0) return
    const thread = idle.pop() ?? (all.size < options.threads ? add() : undefined)
    const task = thread && waiting.shift()
    if (thread && task) run(thread, task)
  }
  const add = (): Thread => {
    const thread = startThread(options.threadMib)
    all.add(thread)
    return thread
  }
  const run = (thread: Thread, task: Task): void => {
    const finish = (text: string | undefined, reusable: boolean) => {
      cancel()
      thread.finish = undefined
      if (reusable) idle.push(thread)
      else {
        all.delete(thread)
        void thread.worker.terminate()
      }
      task.done(text)
      next()
    }
    const cancel = clock.after(options.readMs, () => finish(undefined, false))
    thread.finish = finish
    thread.worker.postMessage(task.html)
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
      await Promise.all([...all].map(({ worker }) => worker.terminate()))
      all.clear()
    },
  }
}

function startThread(threadMib: number): Thread {
  const worker = new Worker(new URL('./article-thread.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: threadMib, stackSizeMb: 4 },
  })
  const thread: Thread = { worker, finish: undefined }
  worker.on('message', (text: string | undefined) => thread.finish?.(text, true))
  worker.on('error', () => thread.finish?.(undefined, false))
  worker.on('exit', () => thread.finish?.(undefined, false))
  worker.unref()
  return thread
}
