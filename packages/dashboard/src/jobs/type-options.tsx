import { jobTypes } from './jobs-api.ts'

/** The types of jobs as options of a select. */
export const TypeOptions = () =>
  Object.entries(jobTypes).map(([type, meaning]) => (
    <option key={type} value={type}>
      {type}: {meaning}
    </option>
  ))
