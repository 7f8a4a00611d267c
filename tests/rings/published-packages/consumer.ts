// Checked by the compiler against the declarations of the tarballs, without skipping any of them.
import { parseMailboxId } from '@openmesh/protocol';
import { type Download, MeshClient, MeshError, type SendOutcome } from '@openmesh/sdk';

export async function use(url: string): Promise<string> {
  const client = new MeshClient({ url, mailboxId: 'A', password: 'b', sharedKey: 'c', tls: { authorities: ['pem'] } });
  const outcome: SendOutcome = await client.send({ to: 'B', workflowId: 'W' }, new Uint8Array(1));
  const download: Download = await client.download(outcome.kind === 'sent' ? outcome.messageId : '');
  const error = new Error() as unknown;
  return error instanceof MeshError ? error.code : (download.metadata.subject ?? parseMailboxId('A') ?? '');
}
