// Follows the stream of events and shows the page anew when something changed. It
// is no more than a reload that keeps the place: without it, or when the stream
// breaks, the page is as right as at the time that stands in its footer.
(() => {
  "use strict";
  const address = document.body.dataset.events;
  if (!address || !window.EventSource) return;
  let seen = null;

  const say = (text) => {
    const at = document.getElementById("live");
    if (at) at.textContent = text;
  };

  // Whoever is at a control, or has opened something, is not disturbed.
  const busy = () => document.querySelector("main details[open], main :focus") !== null;

  async function refresh() {
    if (busy()) {
      say("There is news: reload to see it.");
      return;
    }
    const url = new URL(location.href);
    url.searchParams.delete("done");
    const answer = await fetch(url, { credentials: "same-origin" });
    if (!answer.ok) {
      say("The page could not be read anew.");
      return;
    }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["main", "footer"]) {
      const from = fresh.getElementById(id), to = document.getElementById(id);
      if (from && to) to.replaceWith(document.adoptNode(from));
    }
    document.title = fresh.title;
    say("Live.");
  }

  const stream = new EventSource(address);
  // What came while the stream was broken shows in another state at its return.
  stream.addEventListener("state", (event) => {
    if (seen !== null && seen !== event.data) {
      refresh().catch(() => say("The page could not be read anew."));
    } else {
      say("Live.");
    }
    seen = event.data;
  });
  stream.addEventListener("error", () => {
    say(stream.readyState === EventSource.CLOSED ? "Not live: reload to see what is new." : "Not live: trying again.");
  });
})();
