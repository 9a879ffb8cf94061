// Prints the first page alone.
(() => {
  "use strict";
  const whole = document.documentElement;
  document.getElementById("print-first").addEventListener("click", () => {
    whole.classList.add("first-only");
    window.print();
  });
  window.addEventListener("afterprint", () => whole.classList.remove("first-only"));
})();
