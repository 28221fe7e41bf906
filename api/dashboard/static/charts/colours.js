/* The colours of the page, for drawings that cannot take them from the style sheet. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of("ink"), muted: of("muted"), line: of("line"), soft: of("line-soft"), card: of("card"),
    accent: of("accent"), second: of("second"), ok: of("ok"), faint: of("faint"), gain: of("gain"), loss: of("loss"), bad: of("bad"),
  };
}
