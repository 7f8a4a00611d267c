import { createdReportBody, type MessageId, parseMailboxId, parseMessageId } from '@openmesh/protocol';
import type { RegistrySnapshot } from '../../mailbox/snapshot.ts';
import { refuse } from '../../message/refused.ts';
import type { ReportRequest } from '../../message/report-by-hand.ts';
import { type OpenOperation, refuseAs, reply } from '../machines/request.ts';
import { Members, readJson } from './read-json.ts';

/** `POST /messageexchange/admin/report`: a report in a mailbox, as the service itself would make one. */
export function createReport(parts: {
  readonly registry: { current(): RegistrySnapshot };
  readonly reportByHand: (request: ReportRequest) => Promise<MessageId>;
}): OpenOperation {
  return {
    name: 'admin',
    access: 'open',
    async handle({ body }) {
      const json = await readJson(body);
      if (!json.ok) return refuseAs(json.failure, 'the body of the report was refused');
      const members = new Members(json.value);
      const rawMailbox = members.requiredText('mailbox_id', 100);
      const code = members.requiredText('code', 100);
      const description = members.requiredText('description', 500);
      const workflowId = members.requiredText('workflow_id', 300);
      const kind = members.choice('status', ['undeliverable', 'error']) ?? 'undeliverable';
      const subject = members.text('subject', 500);
      const localId = members.text('local_id', 300);
      const fileName = members.text('file_name', 300);
      const about = readMessageId(members, 'linked_message_id');
      if (members.details.length > 0) {
        return refuseAs({ kind: 'validation', details: members.details }, 'the body of the report was refused');
      }
      const to = parseMailboxId(rawMailbox);
      if (to === undefined || parts.registry.current().mailbox(to) === undefined) {
        return refuse('mailbox-does-not-exist', 'no mailbox has that id');
      }
      const texts = { subject, localId, fileName };
      const messageId = await parts.reportByHand({ to, workflowId, kind, code, description, about, ...texts });
      return reply(createdReportBody(messageId));
    },
  };
}

export function readMessageId(members: Members, name: string): MessageId | null {
  const raw = members.text(name, 100);
  if (raw === undefined || raw === '') return null;
  return parseMessageId(raw) ?? members.refuse(name, 'must be a message id') ?? null;
}
