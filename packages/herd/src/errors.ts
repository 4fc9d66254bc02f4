import { type FaultRow, faults } from '@drover/kernel'

/** Everything the herd may refuse. Checked against docs/errors.md. */
export const herdFaults = {
  /** A topology that cannot be used: an unknown server, a port twice, a link to nobody. */
  TOPOLOGY_INVALID: { status: 400, retry: 'never' },
  /** A client, fence or path that this server does not know. */
  HERD_UNKNOWN: { status: 404, retry: 'never' },
  /** A query or record that does not fit: a radius out of range, a name with blanks. */
  HERD_QUERY_INVALID: { status: 400, retry: 'never' },
  /** The server holds as many records, fences or connections as it may. */
  HERD_FULL: { status: 507, retry: 'later' },
  /** A page of another site asks, or another machine wants to cut a link. */
  HERD_FOREIGN: { status: 403, retry: 'never' },
  /** A snapshot whose bytes are not what was written. */
  SNAPSHOT_BROKEN: { status: 500, retry: 'never' },
  /** Places could not be reached: no answer, not even one that says no. */
  PLACES_UNREACHABLE: { status: 502, retry: 'later' },
  /** Too many questions for places are under way, or the provider is left alone for a while. */
  PLACES_BUSY: { status: 503, retry: 'later' },
  /** A places file that cannot be read as CSV or GeoJSON. */
  PLACES_FILE_INVALID: { status: 400, retry: 'never' },
  /** The server of the herd did not answer the command line's question. */
  HERD_SILENT: { status: 504, retry: 'later' },
} as const satisfies Record<string, FaultRow>

export const fault = faults(herdFaults)
