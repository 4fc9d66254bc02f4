import { fault } from '../errors.ts'

/** The longest address that is taken, in characters; longer ones are traps or mistakes. */
const urlCharsMax = 4_096

/**
 * Returns the address that `text` names, resolved against `base`, without its fragment. Throws
 * URL_INVALID for what is no http or https address, is too long, or carries a user or password.
 */
export function parsePageUrl(text: string, base?: URL): URL {
  const shown = text.slice(0, 200)
  if (text.length > urlCharsMax)
    throw fault('URL_INVALID', `an address of ${text.length} characters; ${urlCharsMax} may be`)
  const url = URL.parse(text, base?.href)
  if (!url) throw fault('URL_INVALID', `"${shown}" is no address of a page`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw fault('URL_INVALID', `"${shown}" is not http or https`)
  if (url.username !== '' || url.password !== '')
    throw fault('URL_INVALID', 'an address must not carry a user or password')
  if (url.href.length > urlCharsMax) throw fault('URL_INVALID', `"${shown}" is too long`)
  url.hash = ''
  return url
}
