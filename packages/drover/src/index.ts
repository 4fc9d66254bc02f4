export { droverFaults } from './errors.ts'
export { main } from './main.ts'
