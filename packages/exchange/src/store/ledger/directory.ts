/** The code of an organisation, upper-case letters and digits. */
export type OdsCode = string & { readonly __brand: 'OdsCode' };

/** A day, `YYYY-MM-DD`. */
type Day = string;

/** A span of days; null: without that end. */
export interface DaySpan {
  readonly from: Day | null;
  readonly to: Day | null;
}

export interface OrganisationRole extends DaySpan {
  /** `RO177` and its like. */
  readonly code: string;
  readonly active: boolean;
}

/** An organisation as the directory publishes it. Legal and operational dates differ and are kept apart. */
export interface OrganisationRecord {
  readonly odsCode: OdsCode;
  readonly name: string;
  readonly active: boolean;
  /** `RC1`: an organisation, `RC2`: a site; '' when it was not said. */
  readonly recordClass: string;
  readonly primaryRole: string;
  readonly roles: readonly OrganisationRole[];
  readonly legal: DaySpan;
  readonly operational: DaySpan;
  readonly address: {
    readonly lines: readonly string[];
    readonly town: string;
    readonly county: string;
    readonly postcode: string;
    readonly country: string;
  };
  readonly telephone: string;
  readonly lastChange: Day | null;
}

/** From an organisation to another: a relationship (`RE4` and its like), or the one that came after it. */
export interface OrganisationLink extends DaySpan {
  readonly odsCode: OdsCode;
  readonly kind: 'relationship' | 'succession';
  /** The relationship's code; 'successor' for a succession. */
  readonly type: string;
  readonly target: OdsCode;
  readonly active: boolean;
}

/** What has become of an organisation that has mailboxes. */
export interface DirectoryAlert {
  readonly alertNo: number;
  readonly atMs: number;
  readonly odsCode: OdsCode;
  readonly kind: 'closed' | 'closing' | 'renamed' | 'succeeded';
  /** Facts in words: names, days and codes of organisations. */
  readonly detail: string;
}

export interface DirectoryBatch {
  readonly atMs: number;
  readonly organisations: readonly OrganisationRecord[];
  readonly links: readonly OrganisationLink[];
}

export interface FoundOrganisation {
  readonly organisation: OrganisationRecord;
  readonly links: readonly OrganisationLink[];
}

/** How far the directory has followed the published data. */
export interface DirectoryState {
  readonly organisations: number;
  /** Service clock, milliseconds; null before the first refresh. */
  readonly refreshedAtMs: number | null;
  /** The day up to which changes were taken over; null before the first refresh. */
  readonly changesTo: Day | null;
}

export interface DirectoryLedger {
  /** Puts rows by key and notes, in the same commit, what owners of mailboxes have to know. Harmless when repeated. */
  put(batch: DirectoryBatch): Promise<{ readonly rowsChanged: number; readonly alerts: number }>;
  find(odsCode: OdsCode): Promise<FoundOrganisation | null>;
  /** Newest first; of one organisation when it is given. */
  alerts(query: { odsCode: OdsCode | null; sinceMs: number; limit: number }): Promise<readonly DirectoryAlert[]>;
  /** Alerts that were not announced before, oldest first; from now on they were, and are raised for the operators. */
  announce(query: { nowMs: number; limit: number }): Promise<readonly DirectoryAlert[]>;
  state(): Promise<DirectoryState>;
  refreshed(command: { atMs: number; changesTo: Day }): Promise<void>;
}
