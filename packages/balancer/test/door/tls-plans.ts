import type { ListenerPlan, TlsPlan } from '../../src/plan.ts'
import { type MadeCertificate, makeCertificate } from '../make-certificate.ts'
import { listenerOf } from './plans.ts'

/** Returns what a listener needs to serve `certificate` for `names`. */
export function certificateFor(
  names: readonly string[],
  made: MadeCertificate = makeCertificate(names),
): TlsPlan['certificates'][number] {
  return { names, certificate: made.certificate, key: made.key }
}

/** Returns the listener `front` with TLS. */
export function secureListener(
  certificates: TlsPlan['certificates'],
  given: Partial<ListenerPlan> = {},
  http2 = true,
): ListenerPlan {
  return listenerOf({ tls: { certificates, http2 }, ...given })
}
