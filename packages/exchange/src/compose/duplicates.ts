import type { FaultScript } from '../http/scripted-faults.ts';
import type { Hall } from './hall.ts';

/** Delivers a message a second time when the script says so. */
export function withDuplicates(hall: Hall, faults: FaultScript): Hall {
  return {
    ...hall,
    async send(request) {
      const outcome = await hall.send(request);
      const whole = outcome.kind === 'accepted' && request.headers.totalChunks === 1;
      if (whole && faults.duplicates({ operation: 'send-message', mailbox: request.sender })) {
        await hall.duplicate(outcome.messageId);
      }
      return outcome;
    },
    async receiveChunk(request) {
      const outcome = await hall.receiveChunk(request);
      const { sender: mailbox, messageId } = request;
      // A chunk that does not complete its message leaves nothing to deliver twice.
      if (outcome.kind === 'stored' && faults.duplicates({ operation: 'send-chunk', mailbox })) {
        await hall.duplicate(messageId);
      }
      return outcome;
    },
  };
}
