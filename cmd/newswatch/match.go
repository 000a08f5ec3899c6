package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
)

// matchInput is one line of standard input. ID is echoed as it came, number or
// string.
type matchInput struct {
	ID    json.RawMessage `json:"id"`
	Title string          `json:"title"`
	Lead  string          `json:"lead"`
	Body  string          `json:"body"`
	Lang  string          `json:"lang"`
	URL   string          `json:"url"`
}

type matchOutput struct {
	ID      json.RawMessage    `json:"id"`
	Rules   []string           `json:"rules"`
	Matches []classifier.Match `json:"matches"`
}

// maxLine bounds one line of input; an article is a thousandth of it.
const maxLine = 64 << 20

func (a *app) matchCommand() *cobra.Command {
	var files []string
	var hitsOnly bool
	cmd := &cobra.Command{
		Use:   "match [--rules FILE ...]",
		Short: "Run rules over JSON Lines from standard input",
		Long: `Reads one JSON object a line, {"id","title","lead","body","lang","url"}, and prints for each,
in order, {"id","rules":[...],"matches":[{"rule","field","start","end","text"}]}. Offsets are
bytes of the given text.

  newswatch match --rules my.yaml --hits-only < items.jsonl

Without --rules the rules of the configuration are used. A line that is not such an
object is reported and passed over, and the exit code is then 1.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := a.rules(files)
			if err != nil {
				return err
			}
			return a.match(cmd, rules, hitsOnly)
		},
	}
	cmd.Flags().StringArrayVar(&files, "rules", nil, "rule `FILE`, may be repeated; may be a pattern")
	cmd.Flags().BoolVar(&hitsOnly, "hits-only", false, "print only items that a rule matches")
	return cmd
}

// rules reads the named rule files, or those of the configuration.
func (a *app) rules(files []string) (*classifier.Ruleset, error) {
	if len(files) == 0 {
		loaded, err := a.load()
		if err != nil {
			return nil, err
		}
		return loaded.Rules, nil
	}
	rules, warnings, err := configs.LoadRules(files...)
	for _, w := range warnings {
		fmt.Fprintln(a.stderr, "warning:", w)
	}
	return rules, err
}

func (a *app) match(cmd *cobra.Command, rules *classifier.Ruleset, hitsOnly bool) error {
	in := bufio.NewReaderSize(a.stdin, 1<<20)
	out := bufio.NewWriterSize(a.stdout, 1<<18)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	bad := 0
	for n := 1; cmd.Context().Err() == nil; n++ {
		line, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errors.Join(fmt.Errorf("line %d: %w", n, err), out.Flush())
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var item matchInput
		if err := json.Unmarshal(line, &item); err != nil {
			fmt.Fprintf(a.stderr, "line %d: passed over: %s\n", n, whyNot(err))
			bad++
			continue
		}
		doc := classifier.Doc{Title: item.Title, Lead: item.Lead, Body: item.Body, Lang: item.Lang, URL: item.URL}
		found := rules.Match(&doc)
		if hitsOnly && len(found) == 0 {
			continue
		}
		o := matchOutput{ID: item.ID, Rules: make([]string, 0, len(found)), Matches: []classifier.Match{}}
		if o.ID == nil {
			o.ID = json.RawMessage("null")
		}
		for _, rm := range found {
			o.Rules = append(o.Rules, rm.Rule)
			o.Matches = append(o.Matches, rm.Matches...)
		}
		if err := enc.Encode(o); err != nil {
			return err
		}
		// What feeds us line by line waits for the answer: do not keep it back.
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("could not be read: %s", counted(bad, "line"))
	}
	return cmd.Context().Err()
}

// whyNot says what is wrong with a line, without the names of Go's types.
func whyNot(err error) string {
	wrong, ok := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case !ok:
		return err.Error()
	case wrong.Field == "":
		return fmt.Sprintf("this is not an object but a JSON %s", wrong.Value)
	default:
		return fmt.Sprintf("%q is not a text but a JSON %s", wrong.Field, wrong.Value)
	}
}

// readLine returns one line without its end, or io.EOF after the last.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, fmt.Errorf("longer than %d MiB", maxLine>>20)
		}
		if line == nil && err == nil {
			return bytes.TrimSuffix(part, []byte("\n")), nil
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(line, []byte("\n")), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		default:
			return nil, err
		}
	}
}
