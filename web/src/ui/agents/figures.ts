/** Money, shares and months in the language's own way. */

export function roubles(value: number, language: string): string {
  return value.toLocaleString(language, {
    style: "currency",
    currency: "RUB",
    currencyDisplay: "narrowSymbol",
    maximumFractionDigits: 0,
  });
}

/** Roubles for the edge of a chart: 7.6 million. */
export function shortRoubles(value: number, language: string): string {
  return value.toLocaleString(language, {
    style: "currency",
    currency: "RUB",
    currencyDisplay: "narrowSymbol",
    notation: "compact",
    maximumFractionDigits: 1,
  });
}

/** A share of 0 to 1. */
export function percent(share: number, language: string): string {
  return share.toLocaleString(language, { style: "percent", maximumFractionDigits: 1 });
}

/** Return the name of a month that is written as 2026-11; anything else as it is. */
export function monthName(month: string, language: string, length: "short" | "long"): string {
  const date = new Date(`${month}-01T00:00:00Z`);
  if (!/^\d{4}-\d{2}$/.test(month) || Number.isNaN(date.getTime())) return month;
  const name = date.toLocaleDateString(language, { month: length, timeZone: "UTC" });
  return length === "short" ? name.replace(/\.$/, "") : `${name} ${date.getUTCFullYear()}`;
}
