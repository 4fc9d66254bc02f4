/** Positions are whole numbers in units of 1e-7 degrees, about a centimetre. */
export const unitsPerDegree = 1e7

/** The finest cells are 1/64 degree wide, 1.7 km on the equator: a cell of a degree is halved so often. */
export const levelMax = 6
const finePerDegree = 2 ** levelMax
const unitsPerFine = unitsPerDegree / finePerDegree

/** Cells of a degree. */
export const columns = 360
export const rows = 180

/** Returns degrees in units. */
export function unitsOf(degrees: number): number {
  return Math.round(degrees * unitsPerDegree)
}

/** Returns the row of finest cells that a latitude in units lies in; the northernmost holds the pole. */
export function rowOf(latitude: number): number {
  const row = Math.floor((latitude + 90 * unitsPerDegree) / unitsPerFine)
  return Math.max(0, Math.min(rows * finePerDegree - 1, row))
}

/** Returns the column of finest cells that a longitude in units lies in; the last one holds +180. */
export function columnOf(longitude: number): number {
  const column = Math.floor((longitude + 180 * unitsPerDegree) / unitsPerFine)
  return Math.max(0, Math.min(columns * finePerDegree - 1, column))
}

/** Returns the number of the cell of a degree that a finest cell lies in. */
export function rootOf(row: number, column: number): number {
  return (row >> levelMax) * columns + (column >> levelMax)
}
