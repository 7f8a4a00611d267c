/**
 * Which wire rules an exchange follows: `live` is closest to the national service, `sandbox` is a drop-in for the
 * official sandbox, bug for bug where people's test suites depend on it.
 */
export type Profile = 'live' | 'sandbox';

/** Version of the API that an answer speaks. */
export type ApiVersion = 1 | 2;
