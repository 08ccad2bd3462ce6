// Everything works without this file: it saves a click and copies commands.
"use strict";
for (const field of document.querySelectorAll("[data-submit]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
for (const slider of document.querySelectorAll("[data-labels]")) {
  const steps = document.getElementById(slider.dataset.labels).options;
  const shown = slider.closest("section").querySelector(".when strong");
  slider.addEventListener("input", () => {
    shown.textContent = steps[slider.value].label;
    slider.setAttribute("aria-valuetext", shown.textContent);
  });
}
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  });
}
