import { build } from "../forms/builder.js";
import { keyring } from "../forms/json_pane.js";
import { showPlan } from "../forms/plan.js";
import { sendJson } from "../requests.js";
import { SearchFields } from "../forms/search_fields.js";
import { valuesOf } from "../forms/values.js";
import { WrittenSweep } from "../forms/written.js";

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
