import { fuzzApi } from './fuzz-contract.ts'

await fuzzApi()
