/* Table rows with a destination open it on click, like the link they contain. */
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-href]");
  if (!row || event.target.closest("a, button, input, select") || getSelection().toString()) return;
  location.assign(row.dataset.href);
});
