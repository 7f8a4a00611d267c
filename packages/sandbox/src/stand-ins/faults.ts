import type { ServerResponse } from 'node:http';
import type { StandIn } from './json-answer.ts';

/** What goes wrong at a stand-in, instead of its answer. */
export type StandInFault =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'text'; readonly status: number; readonly text: string }
  /** Never answers. */
  | { readonly kind: 'silence' }
  /** Ends the connection in the middle of its answer. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'flood'; readonly bytes: number };

/** Faults by stand-in, each for so many requests. */
export interface FaultQueue {
  add(name: StandIn['name'], fault: StandInFault, times: number): void;
  /** The fault that the next request of this stand-in meets. */
  take(name: StandIn['name']): StandInFault | undefined;
  clear(): void;
}

export function createFaultQueue(): FaultQueue {
  let waiting: { name: StandIn['name']; fault: StandInFault; times: number }[] = [];
  return {
    add: (name, fault, times) => void waiting.push({ name, fault, times }),
    take(name) {
      const next = waiting.find((entry) => entry.name === name && entry.times > 0);
      if (next === undefined) return undefined;
      next.times -= 1;
      return next.fault;
    },
    clear() {
      waiting = [];
    },
  };
}

export function commit(fault: StandInFault, response: ServerResponse): void {
  switch (fault.kind) {
    case 'status':
      response.writeHead(fault.status, fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter });
      response.end('{}');
      break;
    case 'text':
      response.writeHead(fault.status, { 'content-type': 'application/fhir+json' });
      response.end(fault.text);
      break;
    case 'silence':
      break;
    case 'cut':
      response.writeHead(200, { 'content-type': 'application/fhir+json', 'content-length': '1000' });
      response.write('{"resourceType":', () => response.destroy());
      break;
    case 'flood':
      response.writeHead(200, { 'content-type': 'application/fhir+json' });
      response.end(Buffer.alloc(fault.bytes, 0x20));
      break;
  }
}
