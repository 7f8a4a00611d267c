import { emptyAnswer, messageStatuses, parseMessageId } from '@openmesh/protocol';
import type { Expire } from '../../message/expire.ts';
import { refuse } from '../../message/refused.ts';
import { type OpenOperation, refuseAs, reply } from '../machines/request.ts';
import { readMessageId } from './create-report.ts';
import { Members, readJson } from './read-json.ts';

/** `POST …/admin/message/{id}/event`: the newest event says where a message stands; makes no report. */
export function addEvent({ expire }: { readonly expire: Pick<Expire, 'byHand'> }): OpenOperation {
  return {
    name: 'admin',
    access: 'open',
    async handle({ params, body }) {
      const json = await readJson(body);
      if (!json.ok) return refuseAs(json.failure, 'the body of the event was refused');
      const members = new Members(json.value);
      members.require('status');
      const to = members.choice('status', messageStatuses);
      const code = members.text('code', 100) ?? '';
      const event = members.text('event', 100) ?? '';
      const description = members.text('description', 500) ?? '';
      const linkedMessageId = readMessageId(members, 'linked_message_id');
      if (members.details.length > 0 || to === undefined) {
        return refuseAs({ kind: 'validation', details: members.details }, 'the body of the event was refused');
      }
      const messageId = parseMessageId(params[0] ?? '');
      if (messageId === undefined) return refuse('message-does-not-exist', 'the path has no message id');
      const status = { code, event, description };
      const outcome = await expire.byHand({ messageId, to, status, actor: 'sandbox', linkedMessageId });
      switch (outcome) {
        case 'changed':
        case 'unchanged':
          return reply(emptyAnswer(200));
        case 'not-found':
          return refuse('message-does-not-exist', 'the message is not known', messageId);
        case 'gone':
          return refuse('message-gone', 'the bytes of the message are deleted', messageId);
      }
    },
  };
}
