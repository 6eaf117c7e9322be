/** What `esta measure` does unless told otherwise; apart, so that its help loads nothing else. */
export const measuringDefaults = { batch: 8, rounds: 5 } as const;
