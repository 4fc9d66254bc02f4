import { useEffect, useState } from 'preact/hooks'

/** A value that tells when it changes. */
export interface Store<Value> {
  readonly value: Value
  set(value: Value): void
  /** Calls `listener` after each change until the returned function is called. */
  follow(listener: () => void): () => void
}

/** Returns a store; setting the value that it has already tells nobody. */
export function createStore<Value>(initial: Value): Store<Value> {
  const listeners = new Set<() => void>()
  let value = initial
  return {
    get value() {
      return value
    },
    set(next) {
      if (Object.is(next, value)) return
      value = next
      for (const listener of [...listeners]) listener()
    },
    follow(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** The value of `store`; the component is drawn again when it changes. */
export function useStore<Value>(store: Store<Value>): Value {
  const [, redraw] = useState({})
  useEffect(() => {
    const seen = store.value
    const stop = store.follow(() => redraw({}))
    // It may have changed between the drawing and this effect.
    if (!Object.is(seen, store.value)) redraw({})
    return stop
  }, [store])
  return store.value
}
