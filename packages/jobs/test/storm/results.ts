import { Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import type { Job } from '../../src/job.ts'
import type { PageKind } from './pages.ts'

/** A job that is done, the page that it was for, and what it found. */
export interface Found {
  readonly job: Job
  readonly kind: PageKind
  readonly number: number
  readonly origin: string
  /** By their hashes. */
  readonly contents: ReadonlyMap<string, string>
}

/** Readability finds one in a page of a single long paragraph, too. */
const articleKinds = new Set(['article', 'huge'])

/** Returns what is wrong with the result of a job, for the page and the type that it was for. */
export function wrongResult({ job, kind, number, origin, contents }: Found): string[] {
  const html = kind.html?.(number) ?? ''
  const isArticle = job.type === 1 && articleKinds.has(kind.name)
  const wanted = [
    wantedContent(job.type, kind.name, html, origin),
    isArticle ? seen(html) : undefined,
  ]
  const found = [job.contentHash, job.wholeHash].map((hash) => contents.get(hash ?? ''))
  const facts = job.result?.facts ?? {}
  const isRight =
    wanted.every((content, at) => content === found[at]) &&
    (job.type !== 1 || facts.article === isArticle) &&
    job.result?.bytes === Buffer.byteLength(wanted[0] ?? '')
  if (isRight) return []
  const [content = 'nothing'] = found
  return [`job ${job.id} of type ${job.type} of a ${kind.name} page has ${content.slice(0, 80)}`]
}

/** A page's text, its HTML, or the domains of its links: all of them lead to the site itself. */
function wantedContent(type: number, kind: string, html: string, origin: string): string {
  if (type === 2) return html
  if (type === 1) return articleKinds.has(kind) ? articleOf(html) : seen(html)
  const hrefs = [...html.matchAll(/href="([^"]+)"/g)].map(([, href]) => `${origin}${href}`)
  const domains = hrefs.length === 0 ? [] : [{ domain: '127.0.0.1', count: hrefs.length }]
  return JSON.stringify({ domains, links: hrefs.length, inScope: [...new Set(hrefs)] })
}

const articles = new Map<string, string>()

/** What readability itself makes of it, with the tags that browsers add where they are left out. */
function articleOf(html: string): string {
  const known = articles.get(html)
  if (known !== undefined) return known
  const whole = html.startsWith('<html')
    ? html
    : html.replace(/^<title>.*?<\/title>/, '<html><head>$&</head><body>')
  const text = new Readability(parseHTML(whole).document).parse()?.textContent ?? ''
  articles.set(html, text)
  return text
}

/** All text of pages as plain as these, without the title. */
function seen(html: string): string {
  const body = html
    .replace(/<title>[^<]*<\/title>/, '')
    .replaceAll(/<\/?(p|article|footer)>/g, '\n')
  const lines = body.replaceAll(/<[^>]*>/g, '').split('\n')
  const bare = lines.map((line) => line.replaceAll(/\s+/g, ' ').trim())
  return bare.filter((line) => line !== '').join('\n')
}
