/* Where a parameter stands in what is sent: fixed in the base, varied in the grid; a run has its base only. */
import { isObject } from "./json_text.js";

export class WrittenSweep {
  constructor(document) {
    this.document = document;
  }

  get base() {
    return (this.document.base ??= {});
  }

  get grid() {
    return (this.document.grid ??= {});
  }

  static problemOf(document) {
    if (!isObject(document)) return "A sweep is a JSON object.";
    for (const part of ["base", "grid"]) if (part in document && !isObject(document[part])) return `"${part}" is an object of parameters.`;
    return "";
  }

  read(name) {
    if (name in this.grid) return { axis: this.grid[name] };
    return name in this.base ? { value: this.base[name] } : null;
  }

  write(name, entry) {
    if (!entry || "value" in entry) delete this.grid[name];
    if (!entry || "axis" in entry) delete this.base[name];
    if (!entry) return;
    if ("value" in entry) this.base[name] = entry.value;
    else this.grid[name] = entry.axis;
  }
}

export class WrittenRun {
  constructor(document) {
    this.document = document;
  }

  static problemOf(document) {
    return isObject(document) ? "" : "A run is a JSON object of parameters.";
  }

  read(name) {
    return name in this.document ? { value: this.document[name] } : null;
  }

  write(name, entry) {
    if (entry) this.document[name] = entry.value;
    else delete this.document[name];
  }
}
