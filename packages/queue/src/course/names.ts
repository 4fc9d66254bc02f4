/** What a name may not have: the characters and words that the course's own programs join names with. */
const forbidden = /[@x|*:-]|subl|publ/

/** The least that the queue below asks of a name, and a length that still fits into a file's name. */
const plain = /^[A-Za-z0-9_][A-Za-z0-9_.]{0,99}$/

/** Returns why `name` can name no topic and no partition; undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (forbidden.test(name) || !plain.test(name))
    return `Name: ${name.slice(0, 100)} is not allowed: 1 to 100 letters (no x), digits, _ and ., not the words subl and publ`
  return undefined
}

/** Returns why `name` can name no broker; undefined when it can. */
export function brokerNameProblem(name: string): string | undefined {
  if (!name.includes('broker')) return `${name.slice(0, 100)} does not contain broker keyword`
  return nameProblem(name)
}
