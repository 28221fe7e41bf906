/* The shown part of the time axis, as a query: a span of ms, or null for all of it. */
export const spanQuery = (span) => (span ? `first=${Math.max(0, span[0])}&last=${span[1]}` : "");
