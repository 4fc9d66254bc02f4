// The page: sends a file, follows its request, downloads the result, and shows the queue of everyone.
const find = (id) => document.getElementById(id)
const remembered = 'drover-chunks-request'

/** What each way is told, and what it does. */
const ways = {
  letters: [
    'a-z',
    'Words by their first letter: a range a-c, a letter a, a set acd, several a-c,d-z; nothing is a-z. Texts and word lists.',
  ],
  bytes: ['64MiB', 'Pieces of equal size: 1000, 64KiB, 1GB.'],
  parts: ['8', 'So many parts of equal size, to the byte.'],
  cdc: ['8KiB/16KiB/64KiB', 'Cut by content (FastCDC 2020): least, average and largest size.'],
  lines: ['100000', 'So many lines in each chunk; the last one has what is left.'],
  records: [
    '1000',
    'So many records each: CSV, NDJSON or a JSON array, never cut inside a record.',
  ],
  delimiter: ['\\n\\n', 'Cut after this text; \\n, \\t and \\0 are understood.'],
  regex: ['/^# /m', 'Cut after each match of a pattern.'],
  tokens: ['512/64', 'Size and overlap in tokens, estimated; never inside a character.'],
  sentences: ['1000/200', 'Whole sentences up to a size in bytes, with overlap.'],
  markdown: ['1000/200', 'By headings and paragraphs up to a size in bytes, with overlap.'],
}

let sending

find('by').addEventListener('change', explain)
find('file').addEventListener('change', describeFile)
find('form').addEventListener('submit', (event) => {
  event.preventDefault()
  send()
})
find('stop').addEventListener('click', stop)
addDropping(find('drop'))
explain()

function explain() {
  const [example, text] = ways[find('by').value]
  find('chunk').placeholder = example
  find('hint').textContent = text
}

function describeFile() {
  const [file] = find('file').files
  find('size').textContent = file
    ? `${sizeOf(file.size)}, chosen.`
    : 'Choose a file, or drop it here. Any size; plain, gzip or zstd.'
}

function addDropping(area) {
  const over = (event) => {
    event.preventDefault()
    area.classList.toggle('over', event.type === 'dragover')
  }
  for (const type of ['dragover', 'dragleave', 'drop']) area.addEventListener(type, over)
  area.addEventListener('drop', ({ dataTransfer }) => {
    if (dataTransfer.files.length === 0) return
    find('file').files = dataTransfer.files
    describeFile()
  })
}

function send() {
  const [file] = find('file').files
  const by = find('by').value
  // What the field shows as an example is what nothing means.
  const chunk = find('chunk').value || (by === 'letters' ? '' : ways[by][0])
  const query = new URLSearchParams({ by: `${by} ${chunk}`, as: find('as').value, name: file.name })
  const packing = /\.gz$/i.test(file.name) ? 'gzip' : /\.zst$/i.test(file.name) ? 'zstd' : ''
  if (packing) query.set('input', packing)
  // Only XMLHttpRequest tells how much of a body was sent.
  const request = new XMLHttpRequest()
  request.open('POST', `chunks?${query}`)
  request.responseType = 'json'
  request.setRequestHeader('content-type', 'application/octet-stream')
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    find('sending').value = total === 0 ? 1 : loaded / total
    find('sent').textContent = `${sizeOf(loaded)} of ${sizeOf(total)}`
  })
  request.addEventListener('load', () => accepted(request))
  request.addEventListener('error', () => ended('bad', 'The connection broke. Try again.'))
  request.addEventListener('abort', () => ended('', 'Stopped; nothing was kept.'))
  for (const bar of ['sending', 'working']) find(bar).value = 0
  for (const text of ['sent', 'worked']) find(text).textContent = ''
  begun()
  say('', 'Sending …')
  sending = request
  request.send(file)
}

function begun() {
  find('progress').hidden = false
  find('submit').disabled = true
  find('stop').hidden = false
}

function accepted({ status, response }) {
  sending = undefined
  if (status !== 202) {
    find('progress').hidden = true
    ended('bad', sentence(response?.detail ?? `the server answered ${status}`))
    return
  }
  find('sending').value = 1
  sessionStorage.setItem(remembered, response.id)
  say('', 'Working …')
}

function stop() {
  const id = sessionStorage.getItem(remembered)
  if (sending) sending.abort()
  else if (id !== null) void cancel(id)
}

function say(kind, text) {
  const status = find('status')
  status.className = kind
  if (status.textContent !== text) status.textContent = text
}

function ended(kind, text) {
  sending = undefined
  sessionStorage.removeItem(remembered)
  find('submit').disabled = false
  find('stop').hidden = true
  say(kind, text)
}

/** Follows the request that this tab waits for; after a refresh it is found again. */
function follow(requests) {
  const id = sessionStorage.getItem(remembered)
  if (id === null) return
  const own = requests.find((request) => request.id === id)
  if (!own) {
    ended('bad', 'The request is no longer there.')
    return
  }
  begun()
  find('sending').value = 1
  find('working').value = own.progress
  find('worked').textContent = `${Math.floor(own.progress * 100)} %${left(own, ', ')}`
  if (own.state === 'done') {
    const chunks = `${own.pieces} ${own.pieces === 1 ? 'chunk' : 'chunks'}`
    download(id)
    ended('good', `Done: ${chunks} of ${own.name}.`)
  } else if (own.state === 'failed') ended('bad', sentence(`it failed: ${own.error?.message}`))
  else if (own.state === 'cancelled') ended('', 'It was cancelled.')
  else say('', own.place === 0 ? 'Working …' : `Waiting: place ${own.place}${left(own, ', ')}.`)
}

function left({ estimateMs }, before) {
  if (estimateMs === undefined) return ''
  const seconds = Math.ceil(estimateMs / 1000)
  const time = seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
  return `${before}about ${time} left`
}

function download(id) {
  const link = document.createElement('a')
  link.href = `requests/${id}/result`
  link.download = ''
  link.click()
}

function show(requests) {
  find('empty').hidden = requests.length > 0
  const rows = requests.map(rowOf)
  // Replacing rows would take the focus from whoever is on one of their buttons.
  const focused = document.activeElement?.closest('li')?.dataset.id
  const label = document.activeElement?.textContent
  find('queue').replaceChildren(...rows)
  if (focused === undefined) return
  const row = rows.find(({ dataset }) => dataset.id === focused)
  const buttons = [...(row?.querySelectorAll('button') ?? [])]
  ;(buttons.find(({ textContent }) => textContent === label) ?? buttons[0])?.focus()
}

function rowOf(request) {
  const { id, place, name, by, bytes, state, progress, resultBytes, output, error } = request
  const row = document.createElement('li')
  row.dataset.id = id
  row.className = state
  if (id === sessionStorage.getItem(remembered)) row.classList.add('own')
  const mark = { done: '✓', failed: '!', cancelled: '×' }[state]
  const placed = textOf('span', 'place', mark ?? (place === 0 ? '▸' : `${place}`))
  placed.title = place === undefined ? state : `place ${place}`
  const what = textOf('div', 'what', '')
  what.append(textOf('div', 'name', name))
  const percent = state === 'working' ? ` ${Math.floor(progress * 100)} %` : ''
  const result = resultBytes === undefined ? '' : ` ${sizeOf(resultBytes)}`
  const facts = [
    `by ${by}`,
    ...(state === 'done' ? [`${output}${result}`] : [sizeOf(bytes)]),
    ...(error ? [error.message] : []),
  ]
  const line = textOf('div', 'facts', '')
  line.append(textOf('span', 'state', `${state}${percent}`), ` · ${facts.join(' · ')}`)
  line.append(left(request, ' · '))
  what.append(line)
  if (state === 'working') {
    const bar = document.createElement('progress')
    bar.value = progress
    bar.setAttribute('aria-label', `Progress of ${name}`)
    what.append(bar)
  }
  const buttons = textOf('span', 'buttons', '')
  if (state === 'done') buttons.append(button('Download', name, () => download(id)))
  if (state !== 'cancelled')
    buttons.append(button(place === undefined ? 'Remove' : 'Cancel', name, () => cancel(id)))
  row.append(placed, what, buttons)
  return row
}

function textOf(tag, kind, text) {
  const made = document.createElement(tag)
  made.className = kind
  made.textContent = text
  return made
}

function button(label, name, action) {
  const made = textOf('button', '', label)
  made.type = 'button'
  made.setAttribute('aria-label', `${label} ${name}`)
  made.addEventListener('click', action)
  return made
}

async function cancel(id) {
  const answer = await fetch(`requests/${id}`, { method: 'DELETE' })
  if (!answer.ok && answer.status !== 404) say('bad', 'It could not be cancelled.')
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
}

function sizeOf(bytes) {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`
}

new EventSource('events').addEventListener('message', ({ data }) => {
  const requests = JSON.parse(data)
  show(requests)
  follow(requests)
})
