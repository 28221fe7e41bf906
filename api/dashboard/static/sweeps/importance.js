/* Axes by how much they explain; pressing one puts it on the heatmap. */
export function showImportance(list, found, choose) {
  if (!found) {
    list.replaceChildren(Object.assign(document.createElement("li"), { textContent: "Nothing to explain: fewer than three trials, or all have the same value.", className: "hint" }));
    return;
  }
  const focused = document.activeElement?.dataset?.importance;
  list.replaceChildren(...found.map((one) => bar(one, choose)));
  if (focused) list.querySelector(`[data-importance="${CSS.escape(focused)}"]`)?.focus();
}

function bar({ axis, share, groups }, choose) {
  const item = document.createElement("li");
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", title: "Show this parameter across the heatmap" });
  button.dataset.importance = axis;
  const percent = `${(share * 100).toFixed(1)} %`;
  const track = Object.assign(document.createElement("span"), { className: "track" });
  const fill = Object.assign(document.createElement("span"), { className: "fill" });
  fill.style.width = `${share * 100}%`;
  track.append(fill);
  const name = Object.assign(document.createElement("span"), { textContent: axis, className: "name" });
  const value = Object.assign(document.createElement("span"), { textContent: groups < 2 ? "one value" : percent, className: "value" });
  button.append(name, track, value);
  button.addEventListener("click", () => choose(axis));
  item.append(button);
  return item;
}
