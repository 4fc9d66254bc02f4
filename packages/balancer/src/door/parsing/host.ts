const nameForm = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+(?::\d{1,5})?$/
const addressForm = /^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$/

/** Holds for `name`, `name:port` and `[v6]:port` as RFC 3986 §3.2 has them, without user information. */
export function isAuthority(text: string): boolean {
  if (text.length > 255) return false
  return text.startsWith('[') ? addressForm.test(text) : nameForm.test(text)
}

/** Returns the host in lower case, without port and brackets: what routes are compared with. */
export function hostName(text: string): string {
  const bare = text.startsWith('[') ? text.slice(1, text.indexOf(']')) : text.replace(/:\d*$/, '')
  return bare.toLowerCase()
}
