/** Keys whose values are nobody's business but their owner's. */
const secretKey = /pass(word|phrase)?|secret|token|credential|private|api_?key|authorization/i

/** Returns a copy of `value` with every text under a key that speaks of a secret masked. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const secret = secretKey.test(key) && typeof inner !== 'object'
      return [key, secret ? '(hidden)' : withoutSecrets(inner)]
    }),
  )
}
