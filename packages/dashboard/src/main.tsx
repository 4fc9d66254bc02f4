import { render } from 'preact'
import { App } from './shell/app.tsx'
import { startRouting } from './shell/route.ts'
import { startTheme } from './shell/theme.ts'

startTheme()
startRouting()
const place = document.getElementById('page')
if (place) render(<App />, place)
