import { getDomain } from 'tldts'
import { readTags } from './tags.ts'

/** The domains that a page links to. */
export interface PageDomains {
  /** Most often linked first. */
  readonly domains: readonly { readonly domain: string; readonly count: number }[]
  /** All links to pages, the same one twice counted twice. */
  readonly links: number
  /** Pages of the page's own domain, each once and without fragments, in their order. */
  readonly inScope: readonly string[]
}

/** Links of one page that are counted; beyond them a page is a trap. */
const linksMax = 100_000

/** Pages of the own domain that are named. */
const inScopeMax = 1_000

/** Longer addresses are traps; a base of a megabyte would be in every link. In characters. */
const urlCharsMax = 4_096

/**
 * Returns the registrable domains (public suffix and one label) that the links of `html` lead to.
 * Links are resolved against the page's base element, else against `pageUrl`; what is not http or
 * https is left out. A host without a registrable domain stands for itself. Linear in the text.
 */
export function readDomains(html: string, pageUrl: string): PageDomains {
  const counts = new Map<string, number>()
  const domainOf = rememberDomains()
  const own = domainOf(URL.parse(pageUrl)?.hostname ?? '')
  const inScope = new Set<string>()
  let base: string | undefined
  let links = 0
  readTags(html, {
    attributes: { base: ['href'], a: ['href'], area: ['href'] },
    onOpen(name, { href }) {
      if (href === undefined || links >= linksMax) return
      if (name === 'base') {
        base ??= pageAt(href, pageUrl)?.href ?? pageUrl
        return
      }
      const target = pageAt(href, base ?? pageUrl)
      if (!target) return
      links++
      const domain = domainOf(target.hostname)
      counts.set(domain, (counts.get(domain) ?? 0) + 1)
      target.hash = ''
      if (domain === own && inScope.size < inScopeMax) inScope.add(target.href)
    },
  })
  const domains = [...counts].map(([domain, count]) => ({ domain, count }))
  domains.sort((one, other) => other.count - one.count || (one.domain < other.domain ? -1 : 1))
  return { domains, links, inScope: [...inScope] }
}

/** Returns where `href` leads, undefined when that is no page. */
function pageAt(href: string, base: string): URL | undefined {
  const target = URL.parse(href, base)
  if (!target || !/^https?:$/.test(target.protocol)) return undefined
  return target.href.length > urlCharsMax ? undefined : target
}

/** Most links of a page lead to few hosts. */
function rememberDomains(): (host: string) => string {
  const known = new Map<string, string>()
  return (host) => {
    const remembered = known.get(host)
    if (remembered !== undefined) return remembered
    const domain = getDomain(host) ?? host.replace(/\.$/, '')
    known.set(host, domain)
    return domain
  }
}
