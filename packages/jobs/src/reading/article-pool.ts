import { Worker } from 'node:worker_threads'
import type { Clock } from '@drover/kernel'
import { fault } from '../errors.ts'
import type { ReadingOptions } from '../options.ts'

/** Reads articles in threads of their own, so that a hostile page stops nobody else. */
export interface ArticlePool {
  /**
   * Resolves to the article's text; undefined when the page is none, or took too long or too much.
   * Throws READING_FAILED when too many wait, and when the pool stops meanwhile.
   */
  read(html: string): Promise<string | undefined>
  stop(): Promise<void>
}

interface Task {
  readonly html: string
  readonly done: (text: string | undefined) => void
  readonly fail: (error: unknown) => void
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
    const thread = startThread(options.threadMib, () => drop(thread))
    all.add(thread)
    return thread
  }
  const drop = (thread: Thread): void => {
    all.delete(thread)
    // One that dies while it has nothing to do is given no page any more.
    const index = idle.indexOf(thread)
    if (index >= 0) idle.splice(index, 1)
    thread.finish?.(undefined, false)
    void thread.worker.terminate()
  }
  const run = (thread: Thread, task: Task): void => {
    const finish = (text: string | undefined, reusable: boolean) => {
      cancel()
      thread.finish = undefined
      if (reusable) idle.push(thread)
      else drop(thread)
      if (stopped) task.fail(stopping())
      else task.done(text)
      next()
    }
    const cancel = clock.after(options.readMs, () => finish(undefined, false))
    thread.finish = finish
    thread.worker.postMessage(task.html)
  }

  return {
    async read(html) {
      if (stopped) throw stopping()
      if (html.length > options.articleCharsMax) return undefined
      if (waiting.length >= options.waitingMax)
        throw fault('READING_FAILED', `${waiting.length} pages wait to be read`)
      return new Promise((done, fail) => {
        waiting.push({ html, done, fail })
        next()
      })
    },
    async stop() {
      stopped = true
      for (const { fail } of waiting.splice(0)) fail(stopping())
      await Promise.all([...all].map(({ worker }) => worker.terminate()))
    },
  }
}

function stopping() {
  return fault('READING_FAILED', 'the readers are stopping')
}

function startThread(threadMib: number, onEnd: () => void): Thread {
  const worker = new Worker(new URL('./article-thread.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: threadMib, stackSizeMb: 4 },
  })
  const thread: Thread = { worker, finish: undefined }
  worker.on('message', (text: string | undefined) => thread.finish?.(text, true))
  worker.on('error', onEnd)
  worker.on('exit', onEnd)
  worker.unref()
  return thread
}
