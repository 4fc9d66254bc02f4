import type { FetchedPage } from '../fetching/fetcher.ts'
import type { ArticlePool } from './article-pool.ts'
import { decodeText } from './charset.ts'
import { readDomains } from './links.ts'
import { readFacts } from './page-facts.ts'

/** 1 the page's text, 2 its HTML, 3 the domains that it links to. */
export type JobType = 1 | 2 | 3

/** What a job made of a page. */
export interface Reading {
  /** The type of `content`. */
  readonly contentType: string
  readonly content: string
  /** An article's page with all of its text; absent where `content` is that. */
  readonly whole?: string
  /** Small things to know about it, kept beside it. */
  readonly facts: Readonly<Record<string, string | number | boolean>>
}

/** Makes of a page what its job asks for. */
export async function readPage(
  type: JobType,
  page: FetchedPage,
  articles: ArticlePool,
): Promise<Reading> {
  const text = decodeText(page.body, page.contentType)
  if (type === 2) return { contentType: 'text/html; charset=utf-8', content: text, facts: {} }
  if (type === 3) return readLinks(text, page.url)
  return readText(text, page, articles)
}

function readLinks(html: string, url: string): Reading {
  const found = readDomains(html, url)
  return {
    contentType: 'application/json',
    content: JSON.stringify(found),
    facts: { domains: found.domains.length, links: found.links },
  }
}

async function readText(text: string, page: FetchedPage, articles: ArticlePool): Promise<Reading> {
  const contentType = 'text/plain; charset=utf-8'
  if (isPlain(page.contentType)) return { contentType, content: text, facts: { article: false } }
  const { text: whole, ...said } = readFacts(text, page.url)
  const article = await articles.read(text)
  const facts = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
  return {
    contentType,
    content: article ?? whole,
    ...(article === undefined ? {} : { whole }),
    facts: { ...facts, article: article !== undefined },
  }
}

function isPlain(contentType: string | undefined): boolean {
  return /^\s*(text\/plain|application\/json)\b/i.test(contentType ?? '')
}
