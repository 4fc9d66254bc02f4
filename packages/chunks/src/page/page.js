// The page: sends a file, follows its request, downloads the result, and shows the queue of everyone.
const find = (id) => document.getElementById(id)
const remembered = 'drover-chunks-request'
/** What is shown in the table at most. */
const rowsMax = 50

const form = find('form')
form.addEventListener('submit', (event) => {
  event.preventDefault()
  send()
})

function send() {
  const file = find('file').files[0]
  const query = new URLSearchParams({
    by: `${find('by').value} ${find('chunk').value}`,
    as: find('as').value,
    name: file.name,
  })
  // Only XMLHttpRequest tells how much of a body was sent.
  const request = new XMLHttpRequest()
  request.open('POST', `/chunks?${query}`)
  request.responseType = 'json'
  request.setRequestHeader('content-type', 'application/octet-stream')
  request.upload.addEventListener('progress', ({ loaded, total }) => {
    find('sending').value = total === 0 ? 1 : loaded / total
  })
  request.addEventListener('load', () => accepted(request))
  request.addEventListener('error', () => ended('The connection broke. Try again.'))
  find('sending').value = 0
  find('working').value = 0
  find('progress').hidden = false
  find('submit').disabled = true
  say('Sending …')
  request.send(file)
}

function accepted({ status, response }) {
  if (status !== 202) return ended(response?.detail ?? `The server answered ${status}.`)
  find('sending').value = 1
  sessionStorage.setItem(remembered, response.id)
  say('Working …')
}

function say(text) {
  find('status').textContent = text
}

function ended(text) {
  sessionStorage.removeItem(remembered)
  find('submit').disabled = false
  say(text)
}

/** Follows the request that this tab waits for; after a refresh it is found again. */
function follow(requests) {
  const id = sessionStorage.getItem(remembered)
  if (id === null) return
  const own = requests.find((request) => request.id === id)
  if (!own) return ended('The request is no longer there.')
  find('progress').hidden = false
  find('sending').value = 1
  find('working').value = own.progress
  if (own.state === 'done') {
    download(id)
    ended(`Done: ${own.pieces} ${own.pieces === 1 ? 'chunk' : 'chunks'} of ${own.name}.`)
  } else if (own.state === 'failed') ended(`It failed: ${own.error?.message}`)
  else if (own.state === 'cancelled') ended('It was cancelled.')
  else say(own.place === 0 ? 'Working …' : `Waiting: place ${own.place}${left(own)}`)
}

function left({ estimateMs }) {
  return estimateMs === undefined ? '' : `, about ${Math.ceil(estimateMs / 1000)} s`
}

function download(id) {
  const link = document.createElement('a')
  link.href = `/requests/${id}/result`
  link.download = ''
  link.click()
}

function show(requests) {
  const rows = requests.slice(0, rowsMax).map((request) => {
    const row = document.createElement('tr')
    const { id, place, name, by, state, progress } = request
    const percent = state === 'working' ? ` ${Math.floor(progress * 100)} %` : ''
    const texts = [place ?? '', name, by, `${state}${percent}`, left(request).slice(8)]
    for (const text of texts) row.insertCell().textContent = text
    const cell = row.insertCell()
    if (state === 'done')
      cell.append(
        button('Download', name, () => download(id)),
        ' ',
      )
    if (state !== 'cancelled')
      cell.append(button(place === undefined ? 'Remove' : 'Cancel', name, () => cancel(id)))
    row.dataset.id = id
    return row
  })
  // Replacing rows would take the focus from whoever is on one of their buttons.
  const focused = document.activeElement?.closest('tr')?.dataset.id
  const label = document.activeElement?.textContent
  find('queue').replaceChildren(...rows)
  if (focused === undefined) return
  const row = rows.find(({ dataset }) => dataset.id === focused)
  const buttons = [...(row?.querySelectorAll('button') ?? [])]
  ;(buttons.find(({ textContent }) => textContent === label) ?? buttons[0])?.focus()
}

function button(label, name, action) {
  const made = document.createElement('button')
  made.type = 'button'
  made.textContent = label
  made.setAttribute('aria-label', `${label} ${name}`)
  made.addEventListener('click', action)
  return made
}

async function cancel(id) {
  const answer = await fetch(`/requests/${id}`, { method: 'DELETE' })
  if (!answer.ok) say('It could not be cancelled.')
}

new EventSource('/events').addEventListener('message', ({ data }) => {
  const requests = JSON.parse(data)
  show(requests)
  follow(requests)
})
