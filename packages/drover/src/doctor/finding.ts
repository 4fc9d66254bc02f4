/** What a look at the machine found. */
export interface Finding {
  readonly what: string
  /** `bad` keeps Drover from running here; `poor` makes it slower or smaller; `absent` is optional. */
  readonly verdict: 'good' | 'poor' | 'bad' | 'absent'
  readonly found: string
  /** What to do about it. */
  readonly advice?: string
}
