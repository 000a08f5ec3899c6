// Follows the stream of events and shows the page anew when something changed. It
// is no more than a reload that keeps the place: without it, or when the stream
// breaks, the page is as right as at the time that stands in its footer.
(() => {
  "use strict";
  const address = document.body.dataset.events;
  if (!address || !window.EventSource) return;
  // A page that was opened in the background may be old by the time it is looked at.
  let seen = document.visibilityState === "hidden" ? "" : null;

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

  // A browser opens no more than six connections to one host at a time, over all its
  // tabs: the streams of six that nobody looks at would keep a seventh from loading.
  let stream = null;
  function follow() {
    if (document.visibilityState === "hidden") {
      if (stream) stream.close();
      stream = null;
      return;
    }
    if (stream) return;
    const opened = stream = new EventSource(address);
    // What came while the stream was broken, or closed, shows in another state at its
    // return.
    opened.addEventListener("state", (event) => {
      if (seen !== null && seen !== event.data) {
        refresh().catch(() => say("The page could not be read anew."));
      } else {
        say("Live.");
      }
      seen = event.data;
    });
    opened.addEventListener("error", () => {
      say(opened.readyState === EventSource.CLOSED ? "Not live: reload to see what is new." : "Not live: trying again.");
    });
  }
  document.addEventListener("visibilitychange", follow);
  follow();
})();
