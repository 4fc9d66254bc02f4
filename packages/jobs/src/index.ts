export { jobsFaults } from './errors.ts'
export { createFetcher, type Fetcher, type FetchOutcome } from './fetching/fetcher.ts'
export {
  type FetchOptions,
  fetchDefaults,
  type ReadingOptions,
  readingDefaults,
} from './options.ts'
