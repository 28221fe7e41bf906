/* What the server refused, said at the fields it is about; the rest in the form's own box. */
let serial = 0;

export function clearProblems(form) {
  for (const text of form.querySelectorAll(".field-error")) text.remove();
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
  const box = form.querySelector("[data-problems]");
  if (box) {
    box.hidden = true;
    box.replaceChildren();
  }
}

export function showProblems(form, error, prefix = "") {
  clearProblems(form);
  const found = error.problem?.errors ?? [];
  const places = found.map(({ field, message }) => ({ message, field, place: placeOf(form, withoutPrefix(field, prefix)) }));
  for (const { place, message, field } of places) if (place) showAt(place, message, field);
  const rest = places.filter(({ place }) => !place);
  const lines = rest.map(({ field, message }) => line(field, message));
  if (!found.length) lines.push(line("", error.message));
  const box = form.querySelector("[data-problems]");
  if (!box || !lines.length) return places;
  box.replaceChildren(...lines);
  box.hidden = false;
  return places;
}

/* Another's field, such as base.start of a sweep, is ours under its own name. */
function withoutPrefix(field, prefix) {
  return prefix && field.startsWith(prefix) ? field.slice(prefix.length) : field;
}

function placeOf(form, field) {
  for (let path = field; path; path = path.replace(/[.[][^.[]*$|^[^.[]*$/, "")) {
    for (const place of form.querySelectorAll("[data-field]")) {
      if (place.dataset.field.split(" ").includes(path) && !place.closest("[hidden]")) return place;
    }
  }
  return null;
}

function showAt(place, message, field) {
  for (let group = place.closest("details"); group; group = group.parentElement.closest("details")) group.open = true;
  const text = document.createElement("span");
  text.className = "field-error";
  text.id = `field-error-${(serial += 1)}`;
  text.textContent = message;
  place.append(text);
  const named = place.querySelectorAll(`[data-part="${CSS.escape(field.split(".").at(-1))}"]`);
  for (const input of named.length ? named : place.querySelectorAll("input, select, textarea")) {
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", text.id);
  }
}

function line(field, message) {
  const row = document.createElement("div");
  if (field) {
    const name = document.createElement("strong");
    name.textContent = field;
    row.append(name, ": ");
  }
  row.append(message);
  return row;
}
