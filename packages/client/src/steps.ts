import { channel } from 'node:diagnostics_channel';

/**
 * Moments between which a killed client must lose nothing and do nothing twice. Each is a diagnostics channel, which
 * costs nothing while nobody listens; a test listens, and kills.
 */
export const steps = {
  /** The journal says that a request is about to leave; none has. */
  outJournaled: channel('openmesh-client:out-journaled'),
  /** The service has answered; the journal does not know. */
  outAnswered: channel('openmesh-client:out-answered'),
  /** One chunk of several is at the service, and in the journal. */
  outChunk: channel('openmesh-client:out-chunk'),
  /** The journal has the outcome; no file was touched. */
  outDecided: channel('openmesh-client:out-decided'),
  /** The files of the outcome lie in TEMP; the journal does not list them. */
  outStaged: channel('openmesh-client:out-staged'),
  /** The journal lists the moves; none was made. */
  outFiling: channel('openmesh-client:out-filing'),
  /** One of the moves was made. */
  outMoved: channel('openmesh-client:out-moved'),
  /** All were made and flushed; the journal does not know. */
  outFiled: channel('openmesh-client:out-filed'),
  /** One chunk of several is in TEMP, and in the journal. */
  inChunk: channel('openmesh-client:in-chunk'),
  /** The files of a message lie in TEMP; the journal does not know. */
  inDownloaded: channel('openmesh-client:in-downloaded'),
  /** The journal lists the moves; none was made. */
  inStaged: channel('openmesh-client:in-staged'),
  /** One of the moves was made. */
  inMoved: channel('openmesh-client:in-moved'),
  /** The files are in IN, flushed; the journal does not know. */
  inPlaced: channel('openmesh-client:in-placed'),
  /** The journal knows; the service does not. */
  inDelivered: channel('openmesh-client:in-delivered'),
  /** The service knows that the message is safe; the journal does not know that it knows. */
  inAcknowledged: channel('openmesh-client:in-acknowledged'),
} as const;

const nothing = {};

/** Says that a step was reached. */
export function reached(step: (typeof steps)[keyof typeof steps]): void {
  if (step.hasSubscribers) step.publish(nothing);
}
