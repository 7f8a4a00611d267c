import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardLeaks } from '../kit/leak-guard.ts';
import { jsonOf, listedIdsOf, MeshClient, sentIdOf } from '../kit/mesh-client.ts';
import { SandboxProcess } from '../kit/sandbox-process.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/temporary-folder.ts';

guardLeaks();

const address = 'GPPROVIDER_9990000018_19800229_Registered';
const workflowId = 'GPCONNECT_SEND_DOCUMENT';

let folder: TemporaryFolder;
const clients: MeshClient[] = [];
beforeEach(async () => {
  folder = await temporaryFolder('sandbox');
});
afterEach(async () => {
  for (const open of clients.splice(0)) open.close();
  await folder.remove();
});

function client({ announcement }: SandboxProcess, mailboxId: string): MeshClient {
  const { url, sharedKey, authorityFile, clients: issued } = announcement;
  const [own] = issued;
  const identity = own === undefined ? {} : { cert: readFileSync(own.certificateFile), key: readFileSync(own.keyFile) };
  const tls = { ca: readFileSync(authorityFile), ...identity };
  const made = new MeshClient({ url, mailboxId, password: 'password', sharedKey, tls });
  clients.push(made);
  return made;
}

/** Moving the clock does all that is due before it answers. */
async function work(anybody: MeshClient): Promise<void> {
  const options = { authorization: null, body: '{"advance":"PT1S"}' };
  expect((await anybody.requestAt('POST', '/messageexchange/admin/clock', options)).status).toBe(200);
}

describe('the sandbox as somebody starts it', () => {
  it.each([
    ['under its own rules', []],
    ['under the rules of the true MESH', ['--true']],
  ])(
    '%s, delivers to a patient’s practice by its stand-ins, and reports what cannot be delivered',
    async (_says, args) => {
      await using sandbox = await SandboxProcess.start(args, { MAILBOXES_DATA_DIR: folder.path });
      const sender = client(sandbox, 'X26ABC1');
      const delivered = sentIdOf(await sender.send({ to: address, workflowId }, 'a letter'));
      const failed = sentIdOf(await sender.send({ to: address, workflowId: 'GPFED_CONSULT_REPORT' }, 'a letter'));
      await work(sender);
      expect(listedIdsOf(await client(sandbox, 'X26ABC2').list())).toContain(delivered);
      expect(jsonOf(await sender.track(failed))).toMatchObject({ status: 'error', status_code: 'EPL-150' });
      expect(listedIdsOf(await sender.list())).toHaveLength(1);
    },
  );

  it('has no patients when it is told to have no stand-ins', async () => {
    const env = { MAILBOXES_DATA_DIR: folder.path, OPENMESH_SANDBOX_STAND_INS: 'no' };
    await using sandbox = await SandboxProcess.start([], env);
    expect((await client(sandbox, 'X26ABC1').send({ to: address, workflowId }, 'a letter')).status).toBe(417);
  });
});
