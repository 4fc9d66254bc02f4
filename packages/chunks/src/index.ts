export { chunksFaults } from './errors.ts'
