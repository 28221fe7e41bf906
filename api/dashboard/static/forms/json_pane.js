/* The text that is sent. The form writes into it and follows it; what cannot be read stops the form, not the text. */
import { parsed, written } from "./json_text.js";

const COPIED_MS = 1500;

export class JsonPane {
  constructor({ form, fields, Written, draftName, followed, edited }) {
    Object.assign(this, { form, fields, Written, followed, edited });
    this.area = document.getElementById("spec");
    this.problem = document.getElementById("pane-problem");
    this.draftName = draftName;
    this.area.addEventListener("input", () => this.follow());
    document.getElementById("upload").addEventListener("change", (event) => this.upload(event.target));
    document.getElementById("download").addEventListener("click", () => this.download());
    document.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-copies]");
      if (button) copy(button);
    });
  }

  get text() {
    return this.area.value;
  }

  begin(document) {
    const draft = returning() ? JSON.parse(sessionStorage.getItem(this.draftName)) : null;
    this.area.value = draft?.text ?? written(document);
    for (const input of this.beside()) input.value = draft?.beside[input.id] ?? input.value;
    for (const input of this.beside()) input.addEventListener("input", () => this.keep());
    this.follow();
  }

  write() {
    this.area.value = written(this.source.document);
    this.keep();
  }

  follow() {
    const wrong = this.read();
    this.problem.hidden = !wrong;
    this.problem.textContent = wrong;
    this.fields.inert = Boolean(wrong);
    this.keep();
    if (!wrong) this.followed();
    this.edited();
  }

  read() {
    try {
      const document = parsed(this.text);
      const wrong = this.Written.problemOf(document);
      if (!wrong) this.source = new this.Written(document);
      return wrong;
    } catch (error) {
      return `The form waits until this can be read. ${error.message}`;
    }
  }

  keep() {
    const beside = Object.fromEntries(this.beside().map((input) => [input.id, input.value]));
    sessionStorage.setItem(this.draftName, JSON.stringify({ text: this.text, beside }));
  }

  /* Fields that are sent apart from the text. */
  beside() {
    return [...this.form.querySelectorAll("[data-beside]")];
  }

  forget() {
    sessionStorage.removeItem(this.draftName);
  }

  async upload(input) {
    const [file] = input.files;
    if (!file) return;
    const text = await file.text();
    input.value = "";
    try {
      this.area.value = written(parsed(text));
    } catch {
      this.area.value = text;
    }
    this.follow();
  }

  download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.text], { type: "application/json" }));
    link.download = `${this.source?.document.name || "run"}`.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 80) + ".json";
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

/* A page that is reloaded, or come back to from the login, finds its draft; one that is opened begins anew. */
function returning() {
  const [navigation] = performance.getEntriesByType("navigation");
  return navigation?.type === "reload" || navigation?.type === "back_forward" || document.referrer.includes("/dashboard/login");
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copies);
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    /* Only secure pages have a clipboard: elsewhere the text is selected, for Ctrl+C. */
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    return;
  }
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), COPIED_MS);
}

export function curlOf(path, text, guarded) {
  const token = guarded ? ' \\\n  -H "Authorization: Bearer $CARRYGRID_API_TOKEN"' : "";
  return `curl -X POST ${location.origin}${path} -H "Content-Type: application/json"${token} \\\n  --data-binary @- <<'JSON'\n${text}\nJSON`;
}

/* The same text keeps its key, so that a submission sent twice is one sweep. */
export function keyring() {
  let last = { text: null, key: "" };
  return (text) => {
    if (last.text !== text) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      last = { text, key: [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
    }
    return last.key;
  };
}
