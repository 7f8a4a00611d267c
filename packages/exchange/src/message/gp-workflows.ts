import type { RegistrySnapshot } from '../mailbox/snapshot.ts';

/** Workflows that the endpoint look-up guidance of 9 July 2024 lists. */
const listed: ReadonlySet<string> = new Set([
  'TOC_FHIR_IP_DISCH',
  'TOC_FHIR_MH_DISCH',
  'TOC_FHIR_EC_DISCH',
  'TOC_FHIR_OP_ATTEN',
  'TOC_OUTP_ATT_DMS',
  'GPFED_CONSULT_REPORT',
  'GPFED_CONSULT_REPORT_ACK',
  'GPCONNECT_UPDATE_RECORD',
  'GPCONNECT_UPDATE_RECORD_ACK',
  'GPCONNECT_SEND_DOCUMENT',
]);

/** Whether messages of a workflow may be sent to a patient's practice. */
export function allowsGpRouting(_snapshot: RegistrySnapshot, workflowId: string): boolean {
  return listed.has(workflowId);
}
