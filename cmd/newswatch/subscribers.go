package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/daemon"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/subscription"
)

func (a *app) subscribersCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "subscribers",
		Short: "List who is sent digests; pause, resume, export or erase a subscriber",
		Long: `Subscribers stand in the configuration, or have subscribed themselves at /subscribe; see
docs/subscriptions.md. Both are known by an id; those who subscribed themselves are found
by their address or URL too.

  newswatch subscribers list
  newswatch subscribers show ann@example.org
  newswatch subscribers pause desk --why "on leave until May"
  newswatch subscribers resume desk
  newswatch subscribers export r:5f3kq… > ann.json
  newswatch subscribers erase r:5f3kq…`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listSubscribers(cmd.Context()) },
	}
	var why string
	pause := a.oneSubscriber("pause", "Send a subscriber nothing until it is resumed; what it waits for is kept",
		func(ctx context.Context, _ *configs.Loaded, st store.Store, id string) error {
			err := st.Pause(ctx, id, notify.Pause{Since: time.Now(), By: notify.ByOperator, Why: why})
			return a.done(id, "is paused", err)
		})
	pause.Flags().StringVar(&why, "why", "", "the reason, for the status page")
	cmd.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List every subscriber, and where it is", Args: noArguments,
			RunE: func(cmd *cobra.Command, _ []string) error { return a.listSubscribers(cmd.Context()) },
		},
		a.oneSubscriber("show", "Show one subscriber: what it asked for, and where it is", a.showSubscriber),
		pause,
		a.oneSubscriber("resume", "End a pause; what waits is sent at once",
			func(ctx context.Context, _ *configs.Loaded, st store.Store, id string) error {
				return a.done(id, "is resumed", st.Resume(ctx, id, time.Now()))
			}),
		a.oneSubscriber("export", "Print all that is held of a subscriber, as JSON",
			func(ctx context.Context, loaded *configs.Loaded, st store.Store, id string) error {
				held, err := held(ctx, loaded, st, id)
				if err != nil {
					return err
				}
				return a.printJSON(held)
			}),
		a.eraseCommand(),
	)
	return cmd
}

// oneSubscriber is a subcommand that does something with one subscriber, named by
// its id, or by its address.
func (a *app) oneSubscriber(use, short string, do func(ctx context.Context, loaded *configs.Loaded, st store.Store, id string) error) *cobra.Command {
	return &cobra.Command{
		Use: use + " ID|ADDRESS", Short: short, Args: oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			loaded, err := a.load()
			if err != nil {
				return err
			}
			return a.withStoreOf(cmd.Context(), loaded, func(st store.Store) error {
				id := args[0]
				if !store.IsReader(id) && strings.ContainsAny(id, "@:") {
					r, err := daemon.NewRoll(loaded.Config, st).Find(cmd.Context(), id)
					if errors.Is(err, store.ErrNotFound) {
						return errors.New("nobody with this address subscribed; one of the configuration is known by its id: see newswatch subscribers list")
					}
					if err != nil {
						return err
					}
					id = r.ID
				}
				return do(cmd.Context(), loaded, st, id)
			})
		},
	}
}

// done says on standard error what became of a subscriber.
func (a *app) done(id, what string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return unknownSubscriber(id)
	}
	if err == nil {
		fmt.Fprintf(a.stderr, "%s %s\n", id, what)
	}
	return err
}

func unknownSubscriber(id string) error {
	return fmt.Errorf("nothing is held of a subscriber %q; newswatch subscribers list shows the ids, of the configuration's those that the daemon has seen", id)
}

func held(ctx context.Context, loaded *configs.Loaded, st store.Store, id string) (subscription.Held, error) {
	h, err := daemon.NewRoll(loaded.Config, st).All(ctx, id)
	if err == nil && h.Empty() {
		err = unknownSubscriber(id)
	}
	return h, err
}

// listed is a line of the list. It shows no address.
type listed struct {
	ID       string          `json:"id"`
	From     string          `json:"from"` // configuration or page
	Channel  string          `json:"channel"`
	State    string          `json:"state"`
	Schedule string          `json:"schedule"`
	Timezone string          `json:"timezone"`
	Standing *store.Standing `json:"standing,omitempty"`
}

func (a *app) listSubscribers(ctx context.Context) error {
	loaded, err := a.load()
	if err != nil {
		return err
	}
	return a.withStoreOf(ctx, loaded, func(st store.Store) error {
		all, err := subscribers(ctx, loaded, st)
		if err != nil {
			return err
		}
		if a.json {
			for _, l := range all {
				if err := a.printJSON(l); err != nil {
					return err
				}
			}
			return nil
		}
		if len(all) == 0 {
			_, err := fmt.Fprintln(a.stdout, "no subscribers")
			return err
		}
		w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "SUBSCRIBER\tFROM\tBY\tSTATE\tSCHEDULE\tNEXT\tLAST SENT")
		for _, l := range all {
			next, last := "", ""
			if l.Standing != nil {
				next, last = minute(l.Standing.Next), minute(l.Standing.LastSent)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.ID, l.From, l.Channel, l.State, l.Schedule, next, last)
		}
		return w.Flush()
	})
}

func minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

// subscribers are those of the configuration and those of the roll.
func subscribers(ctx context.Context, loaded *configs.Loaded, st store.Store) ([]listed, error) {
	standings, err := st.Standings(ctx)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*store.Standing, len(standings))
	for i, s := range standings {
		byID[s.Subscriber] = &standings[i]
	}
	state := func(s *store.Standing, otherwise string) string {
		switch {
		case s == nil:
			return otherwise
		case s.Paused != nil:
			return "paused by " + string(s.Paused.By)
		case s.Attempts > 0:
			return "tried " + counted(s.Attempts, "time")
		}
		return "active"
	}
	var all []listed
	for _, s := range loaded.Subscribers {
		at := byID[s.ID]
		all = append(all, listed{
			ID: s.ID, From: "configuration", Channel: s.Channel.Kind(), Schedule: s.Schedule.String(), Timezone: s.Timezone.String(),
			State: state(at, "not seen by a daemon yet"), Standing: at,
		})
	}
	slices.SortFunc(all, func(a, b listed) int { return strings.Compare(a.ID, b.ID) })
	for r, err := range st.Readers(ctx) {
		if err != nil {
			return nil, err
		}
		at := byID[r.ID]
		all = append(all, listed{
			ID: r.ID, From: "page", Channel: r.Channel, Schedule: r.Wishes.Schedule, Timezone: r.Wishes.Timezone,
			State: state(at, string(r.State)), Standing: at,
		})
	}
	return all, nil
}

// configuredView is what the configuration says of a subscriber. It shows no address
// and no key.
type configuredView struct {
	Channel   string           `json:"channel"`
	To        string           `json:"to"`
	Signed    bool             `json:"signed,omitempty"`
	Rules     []string         `json:"rules,omitempty"`
	Tags      []string         `json:"tags,omitempty"`
	Languages []string         `json:"languages,omitempty"`
	Severity  string           `json:"severity"`
	Schedule  string           `json:"schedule"`
	Timezone  string           `json:"timezone"`
	Lang      string           `json:"lang"`
	WhenEmpty notify.WhenEmpty `json:"when_empty"`
	Cap       int              `json:"cap"`
	Operator  bool             `json:"operator,omitempty"`
}

func configured(loaded *configs.Loaded, id string) *configuredView {
	i := slices.IndexFunc(loaded.Subscribers, func(s configs.Subscriber) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	s := loaded.Subscribers[i]
	hook, _ := s.Channel.(configs.WebhookChannel)
	return &configuredView{
		Channel: s.Channel.Kind(), To: configs.Reached(s.Channel), Signed: len(hook.Secrets) > 0,
		Rules: s.Selection.Rules, Tags: s.Selection.Tags, Languages: s.Selection.Languages, Severity: s.Selection.Severity.String(),
		Schedule: s.Schedule.String(), Timezone: s.Timezone.String(), Lang: cmp.Or(s.Lang, "en"),
		WhenEmpty: s.WhenEmpty, Cap: s.Cap, Operator: s.Operator,
	}
}

// shown is what "subscribers show --json" prints: what is held, and what the
// configuration says.
type shown struct {
	subscription.Held
	Configured *configuredView `json:"configured,omitempty"`
}

func (a *app) showSubscriber(ctx context.Context, loaded *configs.Loaded, st store.Store, id string) error {
	c := configured(loaded, id)
	h, err := daemon.NewRoll(loaded.Config, st).All(ctx, id)
	if err == nil && h.Empty() && c == nil {
		err = unknownSubscriber(id)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(shown{h, c})
	}
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	line := func(what string, value any) {
		if text := fmt.Sprint(value); text != "" {
			fmt.Fprintf(w, "%s\t%s\n", what, oneLine(text))
		}
	}
	line("subscriber", id)
	if c != nil {
		how := c.Channel + " to " + c.To
		if c.Signed {
			how += ", signed"
		}
		line("from", "the configuration")
		line("channel", how)
		line("rules", strings.Join(c.Rules, ", "))
		line("topics", strings.Join(c.Tags, ", "))
		line("languages", strings.Join(c.Languages, ", "))
		if c.Severity != classifier.Low.String() {
			line("severity", c.Severity+" or more")
		}
		line("schedule", c.Schedule)
		line("timezone", c.Timezone)
		line("worded in", c.Lang)
		line("when empty", string(c.WhenEmpty))
		line("cap", c.Cap)
		if c.Operator {
			line("operator", "is told how the watch is kept")
		}
	}
	if r := h.Reader; r != nil {
		line("subscribed", fmt.Sprintf("by the %s, as %s, state %s", r.Consent.Method, r.Channel, r.State))
		line("address", r.Address)
		line("asked", minute(r.Consent.Asked))
		line("confirmed", minute(r.Consent.Given))
		line("left", minute(r.Left))
		if r.Blocked {
			line("letters", "none, ever")
		}
		line("rules", strings.Join(r.Wishes.Rules, ", "))
		line("topics", strings.Join(r.Wishes.Tags, ", "))
		line("languages", strings.Join(r.Wishes.Languages, ", "))
		line("schedule", strings.TrimSpace(r.Wishes.Schedule+" "+r.Wishes.Timezone))
	}
	switch s := h.Standing; {
	case s == nil && c != nil:
		line("state", "not seen by a daemon yet")
	case s != nil:
		line("next turn", minute(s.Next))
		line("last sent", minute(s.LastSent))
		line("pending", s.Pending)
		line("last error", s.LastError)
		if s.Paused != nil {
			line("paused", fmt.Sprintf("since %s by the %s %s", minute(s.Paused.Since), s.Paused.By, s.Paused.Why))
		}
	}
	line("digests sent", len(h.Deliveries))
	line("dead letters", len(h.DeadLetters))
	return w.Flush()
}

func (a *app) eraseCommand() *cobra.Command {
	var yes bool
	cmd := a.oneSubscriber("erase", "Delete all that is held of a subscriber, after showing it",
		func(ctx context.Context, loaded *configs.Loaded, st store.Store, id string) error {
			// What goes is shown on standard error: with --json, standard output is for
			// programs.
			h, err := held(ctx, loaded, st, id)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.stderr, "This goes, and does not come back:")
			for _, line := range goes(h) {
				fmt.Fprintln(a.stderr, "  -", line)
			}
			if configured(loaded, id) != nil {
				fmt.Fprintln(a.stderr, "It stands in the configuration: take it out there first, or it begins anew at the next start or reload.")
			}
			if !yes {
				if err := a.sure(); err != nil {
					return err
				}
			}
			if err := st.Erase(ctx, id); err != nil {
				return a.done(id, "", err)
			}
			if a.json {
				return a.printJSON(map[string]any{"erased": id, "dead_letters": len(h.DeadLetters), "deliveries": len(h.Deliveries)})
			}
			return a.done(id, "is erased", nil)
		})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// goes says what is erased.
func goes(h subscription.Held) []string {
	var out []string
	if r := h.Reader; r != nil {
		what := "the " + string(r.State) + " subscription by " + r.Channel
		if r.Address != "" {
			what += " of " + r.Address
		}
		out = append(out, what+", with the record of consent")
		if r.Blocked {
			out = append(out, "the wish never to be written to: letters to this address can be asked for again")
		}
	}
	if s := h.Standing; s != nil {
		out = append(out, "its place in the log of hits")
		if s.Pending != "" {
			out = append(out, "the digest that waits to be accepted")
		}
	}
	if n := len(h.DeadLetters); n > 0 {
		out = append(out, fmt.Sprintf("dead letters: %d", n))
	}
	if n := len(h.Deliveries); n > 0 {
		out = append(out, fmt.Sprintf("records of digests sent: %d", n))
	}
	return out
}

// errNotSure is the answer to a question that was not answered with yes.
var errNotSure = errors.New("nothing was erased; answer y, or give --yes")

// sure asks on the terminal.
func (a *app) sure() error {
	fmt.Fprint(a.stderr, "Erase? [y/N] ")
	var answer string
	if _, err := fmt.Fscanln(a.stdin, &answer); err != nil || !strings.EqualFold(answer, "y") && !strings.EqualFold(answer, "yes") {
		fmt.Fprintln(a.stderr)
		return errNotSure
	}
	return nil
}
