// Drives the official JavaScript client as its own example does, on the host's Node 20, and prints what it saw as one
// JSON line. Plain JavaScript: that client does not load on Node 24. It verifies the server's certificate, which the
// client's own examples switch off.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import {
  getMessageCount,
  handShake,
  loadConfig,
  markAsRead,
  readMessage,
  sendChunkedMessage,
  sendMessage,
} from 'nhs-mesh-client';

const pagesMax = 10;
const mebibyte = 1024 * 1024;
const { url, sharedKey, sender, recipient, authorityFile, certificateFile, keyFile } = JSON.parse(process.argv[2]);

await loadConfig({ logLevel: 'SILENT' });
const agent = new Agent({
  ca: readFileSync(authorityFile),
  ...(certificateFile === undefined ? {} : { cert: readFileSync(certificateFile), key: readFileSync(keyFile) }),
});
const as = ({ mailboxId, password }) => ({ url, sharedKey, agent, mailboxID: mailboxId, mailboxPassword: password });
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** The client answers an Axios error where it could have thrown one. */
function statusOf(answer) {
  return answer?.status ?? answer?.response?.status ?? String(answer);
}

/** Everything that waits, read and acknowledged as the client does it, until it says that nothing waits. */
async function emptyInbox(mailbox) {
  const seen = [];
  for (let page = 0; page < pagesMax; page++) {
    const listed = await getMessageCount(as(mailbox));
    if (!(listed.data.approx_inbox_count > 0)) return { seen, waiting: listed.data.approx_inbox_count };
    for (const messageID of listed.data.messages) {
      const read = await readMessage({ ...as(mailbox), messageID });
      const acknowledged = await markAsRead({ ...as(mailbox), message: messageID });
      seen.push({
        status: statusOf(read),
        type: read.headers['mex-messagetype'],
        chunkRange: read.headers['mex-chunk-range'] ?? null,
        length: read.data.length,
        sha256: sha256(read.data),
        acknowledged: statusOf(acknowledged),
      });
    }
  }
  return { seen, waiting: 'more than could be read' };
}

// Text, since this client reads a body as text; random, so that a chunk stays large when it is compressed.
const file = Buffer.from(randomBytes((21 * mebibyte * 3) / 4).toString('base64'), 'latin1');
const destination = { mailboxTarget: recipient.mailboxId };
const handshake = await handShake(as(sender));
const small = await sendMessage({ ...as(sender), ...destination, message: 'This is a test' });
const chunked = await sendChunkedMessage({ ...as(sender), ...destination, fileContent: file });
const nobody = await sendMessage({ ...as(sender), mailboxTarget: 'NOSUCHBOX', message: 'lost' }).catch(
  (error) => error,
);
const result = {
  sent: { length: file.length, sha256: sha256(file) },
  handshake: statusOf(handshake),
  small: statusOf(small),
  chunked: statusOf(chunked),
  nobody: statusOf(nobody),
  recipientSaw: await emptyInbox(recipient),
  senderSaw: await emptyInbox(sender),
};
agent.destroy();
process.stdout.write(`${JSON.stringify(result)}\n`);
