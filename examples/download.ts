import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { connect } from './connect.ts';

await using client = connect('X26ABC2');
const folder = mkdtempSync(join(tmpdir(), 'download-'));
for await (const messageId of client.inbox()) {
  // As a stream, for what is handed on ...
  const download = await client.download(messageId);
  const content = await buffer(download.stream());
  console.log(`${content.length} bytes, ${download.metadata.headers.get('mex-statusdescription')}`);

  // ... or into a file, with a state to go on from.
  const path = join(folder, `${messageId}.dat`);
  const { bytes } = await client.downloadToFile(messageId, path, {
    onState: (state) => writeFileSync(`${path}.state`, JSON.stringify(state)),
  });
  console.log(`${bytes} bytes in a file: ${readFileSync(path).equals(content)}`);
  await client.acknowledge(messageId);
}
rmSync(folder, { recursive: true });
