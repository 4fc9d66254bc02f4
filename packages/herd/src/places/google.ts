import type { Clock } from '@drover/kernel'
import { askHttp } from './ask-http.ts'
import type { PlacesAnswer, PlacesProvider, PlacesQuery } from './places.ts'

/** How to reach one of Google's APIs. */
export interface GoogleOptions {
  readonly key: string
  /** Default Google's own; tests and proxies have another. */
  readonly baseUrl?: string
  readonly clock: Clock
}

/** Google gives 20 places a page, and three pages. */
const pagesMax = 3
/** A page token becomes valid a moment after it was given; so long is waited before each try. */
const tokenWaitMs = 700
const tokenTriesMax = 4

/** Returns the provider over Google's Nearby Search as it was until 2025 ("legacy"). */
export function createGooglePlaces(options: GoogleOptions): PlacesProvider {
  const base = new URL(options.baseUrl ?? 'https://maps.googleapis.com')
  const ask = async (fields: Record<string, string>, signal: AbortSignal) => {
    const url = new URL('/maps/api/place/nearbysearch/json', base)
    for (const [name, value] of Object.entries({ ...fields, key: options.key }))
      url.searchParams.set(name, value)
    // Google reads "34.06893,-118.445127"; an escaped comma is the same, but not to every stand-in.
    url.search = url.search.replaceAll('%2C', ',')
    const { status, body } = await askHttp(url, { signal })
    return asAnswer(status, body)
  }
  return {
    name: 'google',
    decimals: 4,
    async search(query, signal) {
      const first = await ask(fieldsOf(query), signal)
      return followPages(first, query.limit, (token) =>
        askForPage(() => ask({ pagetoken: token }, signal), options.clock, signal),
      )
    },
    close: async () => {},
  }
}

function fieldsOf({ latitude, longitude, radiusMeters }: PlacesQuery): Record<string, string> {
  return { location: `${latitude},${longitude}`, radius: `${radiusMeters}` }
}

/** An answer that is not Google's at all (a proxy's error page in JSON) still gets a status. */
function asAnswer(httpStatus: number, body: Record<string, unknown>): PlacesAnswer {
  const results = Array.isArray(body.results) ? body.results : []
  const attributions = Array.isArray(body.html_attributions) ? body.html_attributions : []
  const status = typeof body.status === 'string' ? body.status : `HTTP_${httpStatus}`
  return { ...body, html_attributions: attributions, results, status }
}

/** Adds pages until there are `limit` places or no more pages. */
async function followPages(
  first: PlacesAnswer,
  limit: number,
  nextPage: (token: string) => Promise<PlacesAnswer | undefined>,
): Promise<PlacesAnswer> {
  let answer = first
  for (let page = 1; page < pagesMax && answer.results.length < limit; page++) {
    const { next_page_token: token, ...rest } = answer
    if (typeof token !== 'string' || token === '') break
    const next = await nextPage(token)
    if (!next) break
    answer = {
      ...rest,
      ...(next.next_page_token && { next_page_token: next.next_page_token }),
      results: [...answer.results, ...next.results],
    }
  }
  return answer
}

/** Asks for a page until its token is valid; undefined when it never is, or the time is over. */
async function askForPage(
  ask: () => Promise<PlacesAnswer>,
  clock: Clock,
  signal: AbortSignal,
): Promise<PlacesAnswer | undefined> {
  for (let tries = 0; tries < tokenTriesMax; tries++) {
    try {
      await clock.sleep(tokenWaitMs, signal)
      const page = await ask()
      if (page.status === 'OK') return page
      if (page.status !== 'INVALID_REQUEST') return undefined
    } catch {
      return undefined // The first page is there: fewer places than asked for are better than none.
    }
  }
  return undefined
}
