import type { MessageId } from '@openmesh/protocol';
import { expect, it } from 'vitest';
import type { LedgerSource } from '../ledger.contract.ts';
import {
  acceptOf,
  addChunkOf,
  alice,
  beginUpload,
  bob,
  bornAtMs,
  carol,
  completionOf,
  deliver,
  durableChunk,
  idOf,
  listed,
  newMessage,
  reportAbout,
} from '../ledger-probe.ts';
import type { NewMessage } from './messages.ts';
import type { RouteStep } from './routing-records.ts';

const step: RouteStep = {
  kind: 'copied',
  ruleId: 'r1',
  ruleVersion: 3,
  matched: 'recipient+workflow',
  from: bob,
  to: carol,
  why: '',
  copyId: idOf(2),
};

function copyOf(origin: MessageId, copyId: MessageId): NewMessage {
  const made = { as: 'copy', from: origin, origin } as const;
  const routing = { addressedTo: bob, made, steps: [] };
  return newMessage(copyId, { recipient: carol, payloadId: origin, localKey: null, routing });
}

const original = (): NewMessage => newMessage(idOf(1), { routing: { addressedTo: null, made: null, steps: [step] } });

export function promiseRouting(at: LedgerSource): void {
  it('delivers a message and its copy in one commit, pointing to one payload', async () => {
    const { messages } = at.ledger;
    await messages.accept(acceptOf([original(), copyOf(idOf(1), idOf(2))]));
    expect([await listed(messages, bob), await listed(messages, carol)]).toEqual([[idOf(1)], [idOf(2)]]);
    const copy = await messages.find(idOf(2));
    expect(copy).toMatchObject({
      addressedTo: bob,
      madeAs: 'copy',
      originId: idOf(1),
      payloadId: idOf(1),
      sizeBytes: 3,
    });
    expect(await messages.find(idOf(1))).toMatchObject({ addressedTo: null, madeAs: null, originId: null });
  });

  it('shows what rules did on the timeline, and forgets it with the record', async () => {
    const { messages, jobs, routing } = at.ledger;
    await messages.accept(acceptOf([original(), copyOf(idOf(1), idOf(2))]));
    const detail = `rule r1 version 3 (recipient+workflow): BOB → CAROL as ${idOf(2)}`;
    expect(await messages.timeline(idOf(1))).toContainEqual(expect.objectContaining({ kind: 'copied', detail }));
    const far = { nowMs: bornAtMs * 2, limit: 10 };
    await jobs.hideRecords(far);
    await jobs.removeRecords(far);
    expect(await routing.family({ messageId: idOf(1), limit: 10 })).toEqual([]);
    expect(await messages.timeline(idOf(1))).toEqual([]);
  });

  it('finds the whole family of a message from any of its members, and nobody else', async () => {
    const { messages, routing } = at.ledger;
    await messages.accept(acceptOf([original(), copyOf(idOf(1), idOf(2))]));
    const made = { as: 'resend', from: idOf(1), origin: idOf(1) } as const;
    const resend = newMessage(idOf(3), { payloadId: idOf(1), routing: { addressedTo: null, made, steps: [] } });
    await messages.accept(acceptOf([resend], { payload: null }));
    await messages.accept(acceptOf([reportAbout(idOf(3), idOf(4))], { payload: null }));
    await deliver(messages, 9);
    for (const member of [1, 2, 3, 4]) {
      const kin = await routing.family({ messageId: idOf(member), limit: 10 });
      expect(kin.map(({ messageId }) => messageId)).toEqual([1, 2, 3, 4].map(idOf));
    }
    expect(await routing.family({ messageId: idOf(9), limit: 10 })).toHaveLength(1);
    expect(await routing.family({ messageId: idOf(77), limit: 10 })).toEqual([]);
  });

  it('keeps copies out of the outbox of whoever sent the original', async () => {
    const { messages } = at.ledger;
    await messages.accept(acceptOf([original(), copyOf(idOf(1), idOf(2))]));
    const outbox = {
      box: 'outbox',
      mailbox: alice,
      sinceMs: 0,
      nowMs: bornAtMs,
      beforeMessageId: null,
      limit: 9,
    } as const;
    expect((await messages.rich(outbox)).map(({ messageId }) => messageId)).toEqual([idOf(1)]);
    const inbox = await messages.rich({ ...outbox, box: 'inbox', mailbox: carol });
    expect(inbox.map(({ recipient }) => recipient)).toEqual([bob]);
  });

  it('redirects and copies an upload in the commit of its last chunk, and no earlier', async () => {
    const { messages } = at.ledger;
    const id = await beginUpload(messages, 1, 3);
    const routing = { addressedTo: bob, made: null, steps: [{ ...step, kind: 'redirected' as const }] };
    const routed = { recipient: carol, routing, copies: [copyOf(id, idOf(5))] };
    const completion = completionOf({ routed });
    await messages.addChunk(addChunkOf(id, durableChunk('two', 2), { completion }));
    expect(await listed(messages, carol)).toEqual([]);
    await messages.addChunk(addChunkOf(id, durableChunk('three', 3), { completion }));
    expect([await listed(messages, bob), await listed(messages, carol)]).toEqual([[], [id, idOf(5)]]);
    expect(await messages.find(id)).toMatchObject({ recipient: carol, addressedTo: bob });
    expect((await messages.find(idOf(5)))?.sizeBytes).toBe(300);
  });

  it('walks what was sent by sender, by addressed mailbox, and whole, copies left out', async () => {
    const { messages, routing } = at.ledger;
    await messages.accept(acceptOf([original(), copyOf(idOf(1), idOf(2))]));
    const redirected = { addressedTo: bob, made: null, steps: [] };
    await messages.accept(acceptOf([newMessage(idOf(3), { recipient: carol, routing: redirected })]));
    await deliver(messages, 4, { sender: carol, recipient: alice });
    const walk = async (wanted: object): Promise<readonly string[]> => {
      const query = { afterMessageId: '', sender: null, addressed: null, limit: 10, ...wanted };
      return (await routing.traffic(query)).map(({ messageId }) => messageId);
    };
    expect(await walk({})).toEqual([1, 3, 4].map(idOf));
    expect(await walk({ sender: alice })).toEqual([1, 3].map(idOf));
    expect(await walk({ addressed: bob })).toEqual([1, 3].map(idOf));
    expect(await walk({ addressed: carol })).toEqual([]);
    expect(await walk({ afterMessageId: idOf(1), limit: 1 })).toEqual([idOf(3)]);
  });

  it('changes no registry that has moved since a change was decided on', async () => {
    const { registry } = at.ledger;
    const audit = { atMs: 0, actor: 'a', action: 'b', subject: 'c', detail: '{}' };
    const approval = { approvalId: 'x', odsCode: 'X', workflowId: 'W', approvedBy: 'p', reason: '' };
    const approvals = [{ ...approval, validFromMs: 0, validToMs: 1, reviewOnMs: 1 }];
    expect(await registry.change({ approvals, audit, ifVersion: 7 })).toEqual({
      version: 0,
      rowsChanged: 0,
      stale: true,
    });
    expect(await registry.change({ approvals, audit, ifVersion: 0 })).toEqual({ version: 1, rowsChanged: 1 });
  });
}
