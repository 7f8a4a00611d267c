import { choice, setting } from './setting.ts';

/** What is taken from whom. */
export const sendingSettings = {
  OPENMESH_UNKNOWN_WORKFLOWS: setting(choice('accept', 'refuse'), {
    default: 'accept',
    help: 'Whether a message of a workflow nobody registered is taken.',
  }),
  OPENMESH_ASKED_REGISTRATIONS: setting(choice('restricted', 'recipients', 'both'), {
    default: 'restricted',
    help: 'Where senders and recipients must be registered: for restricted workflows; recipients for all known workflows too; or both for all known workflows.',
  }),
  OPENMESH_CIVIL_REGISTRATION: setting(choice('on', 'off'), {
    default: 'off',
    help: 'Whether workflows marked as civil registration may be used; refused with code 18 where not.',
  }),
  OPENMESH_REPORT_ON_FAILED_SEND: setting(choice('on', 'off'), {
    default: { live: 'on', sandbox: 'off' },
    defaultBy: 'wireRules',
    help: 'Whether a refused send leaves a message id and a report in the sender’s inbox.',
  }),
};
