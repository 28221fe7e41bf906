import { build } from "./builder.js";
import { keyring } from "./json_pane.js";
import { showPlan } from "./plan.js";
import { sendJson } from "./requests.js";
import { SearchFields } from "./search_fields.js";
import { valuesOf } from "./values.js";
import { WrittenSweep } from "./written.js";

const form = document.getElementById("sweep-form");
const keyOf = keyring();

async function send(text) {
  const sweep = await sendJson("POST", "/sweeps", text, { "Idempotency-Key": keyOf(text) });
  const tags = valuesOf(document.getElementById("tags").value, "text").map(String);
  const note = document.getElementById("note").value;
  if (tags.length || note) await sendJson("PATCH", `/sweeps/${sweep.id}`, { tags, note });
  return `/dashboard/sweeps/${sweep.id}`;
}

if (form) {
  build({
    form,
    Written: WrittenSweep,
    path: "/sweeps",
    check: (text) => sendJson("POST", "/sweeps/validate", text),
    send,
    showChecked: showPlan,
    parts: (fields, source, changed) => [new SearchFields(fields, source, changed)],
  });
}
