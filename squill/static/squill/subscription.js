/* The forms that change a subscription: a day is asked for only where one is chosen, and quantities only of the chosen plan. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const when = document.querySelector("select[name=when]");
  const day = document.querySelector("[name=day]")?.closest(".form-field");
  const plan = document.querySelector("select[name=plan]");
  const quantities = [...document.querySelectorAll("[data-plans]")];
  const box = quantities[0]?.closest(".field-quantities, .form-field");

  function update() {
    if (when && day) day.hidden = when.value !== "day";
    for (const one of quantities) {
      const isOf = plan !== null && one.dataset.plans.split(" ").includes(plan.value);
      one.hidden = !isOf;
      one.querySelector("input").disabled = !isOf;
    }
    if (box) box.hidden = quantities.every((one) => one.hidden);
  }

  document.addEventListener("change", update);
  update();
});
