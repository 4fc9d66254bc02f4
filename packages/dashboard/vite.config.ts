import { defineConfig } from 'vite'

// `vite` alone serves the page while one works on it; it asks the instance named here.
const admin = process.env.DROVER_ADMIN ?? 'http://127.0.0.1:8081'

// biome-ignore lint/style/noDefaultExport: vite reads the default export
export default defineConfig({
  base: './',
  build: {
    outDir: 'dist/public',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    // The first that know light-dark().
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
  },
  server: { proxy: Object.fromEntries(['/v1', '/parts', '/metrics'].map((path) => [path, admin])) },
})
