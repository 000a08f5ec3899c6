package web

import (
	"cmp"
	"net/http"
	"strconv"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/web/desk"
)

// watchNotices is how many notices the page Watch shows.
const watchNotices = 5

// noticesView is what the operator was told of how the watch is kept.
type noticesView struct {
	Notices []noticeView
	// Newest leads to the first page, Older to the next; both are empty where one
	// is on it.
	Newest, Older string
}

// noticeView is one notice.
type noticeView struct {
	When  moment
	Kind  string
	Level string
	Text  string
	// Subject is what it is about, and Page leads there; either may be empty.
	Subject, Page string
}

// noticeWords are what stands before a notice, and how much it matters. A kind that
// is not here is shown by its name.
var noticeWords = map[notify.NoticeKind]struct{ words, level string }{
	notify.SourceLost:       {"source lost", "bad"},
	notify.SourceSilent:     {"source silent", "look"},
	notify.SourceBack:       {"source back", "good"},
	notify.FloodHeld:        {"flood held back", "look"},
	notify.Offline:          {"network down", "bad"},
	notify.SubscriberPaused: {"subscriber paused", "bad"},
	notify.MailReturned:     {"mail came back", "look"},
	notify.ReloadFailed:     {"configuration refused", "bad"},
}

func (s *Server) notices(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := bounded(r)
	defer cancel()
	st, now := s.o.Status(), s.o.Now()
	before, err := desk.ParsePlace(r.URL.Query().Get("before"))
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, "The place to go on from is not one that newswatch gave", "Start at the newest.")
		return
	}
	// One more than is shown tells whether there is another page.
	notices, err := s.o.Store.LatestNotices(ctx, before, perPage+1)
	if err != nil {
		s.storeFailed(w, r, err)
		return
	}
	var view noticesView
	if before > 0 {
		view.Newest = "notices"
	}
	if len(notices) > perPage {
		notices = notices[:perPage]
		view.Older = "?before=" + strconv.FormatInt(notices[perPage-1].Seq, 10)
	}
	view.Notices = moments{now, s.o.Location}.notices(notices, st)
	s.show(w, r, http.StatusOK, noticesPage, "Notices", st, now, view)
}

func (m moments) notices(notices []notify.Notice, st desk.Status) []noticeView {
	var out []noticeView
	for _, n := range notices {
		v := noticeView{When: m.of(n.At), Kind: string(n.Kind), Level: "look", Text: short(n.Text, maxNotice), Subject: short(n.Subject, maxName)}
		if known, ok := noticeWords[n.Kind]; ok {
			v.Kind, v.Level = known.words, known.level
		}
		switch f, configured := st.Feeds[n.Subject]; {
		case configured:
			v.Subject = short(cmp.Or(f.Name, n.Subject), maxName)
			v.Page = feedsLink("", n.Subject, "")
		case n.Kind == notify.SubscriberPaused, n.Kind == notify.MailReturned:
			v.Page = "subscribers"
		case n.Kind == notify.ReloadFailed:
			v.Subject, v.Page = "Settings", "settings"
		}
		out = append(out, v)
	}
	return out
}
