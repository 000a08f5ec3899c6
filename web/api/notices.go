package api

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/web/desk"
)

// notices lists what the operator was told of how the watch is kept.
func (a *API) notices(r *http.Request) (answer, error) {
	params := r.URL.Query()
	before, err := desk.ParsePlace(params.Get("before"))
	if err != nil {
		return answer{}, badRequest("The place to go on from is not one that newswatch gave. Start at the newest.")
	}
	n, err := limit(r)
	if err != nil {
		return answer{}, err
	}
	// One more than is shown tells whether there is another page.
	notices, err := a.desk.Store.LatestNotices(r.Context(), before, n+1)
	if err != nil {
		return answer{}, err
	}
	out, next := listing[notify.Notice]{Items: list(notices)}, ""
	if len(notices) > n {
		out.Items = notices[:n]
		out.Next = strconv.FormatInt(notices[n-1].Seq, 10)
		next = url.Values{"before": {out.Next}, "limit": params["limit"]}.Encode()
	}
	return answer{body: out, next: next}, nil
}
