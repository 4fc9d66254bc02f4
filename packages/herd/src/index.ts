export { herdFaults } from './errors.ts'
