package classifier

// Rule is one rule as its author wrote it. Either Query is set, or the plain
// form (Any, All, None); both compile to the same tree.
type Rule struct {
	ID       string
	Name     string
	Severity Severity
	Tags     []string
	// Where narrows the whole rule to a part of the item.
	Where Where
	// Languages, Feeds and FeedTags, where not empty, are necessary conditions
	// on the item.
	Languages []string
	Feeds     []string
	FeedTags  []string

	Query Source
	Any   []Source
	All   []Source
	None  []Source

	MustMatch    []Source
	MustNotMatch []Source

	// Pos is where the rule begins.
	Pos Pos
}

// Concept is a reusable set of terms: one meaning in many languages.
type Concept struct {
	ID string
	// Display is the preferred term, which digests print.
	Display string
	// Terms are by BCP 47 language.
	Terms map[string][]Source
	Pos   Pos
}

// Source is a piece of text that an author wrote, with what is needed to point
// at any byte of it in the file that it came from.
type Source struct {
	Text string
	// At gives the place of byte i of Text; nil means that there is no file.
	At func(i int) Pos
}

// Text makes a Source that is in no file, for tests and for the command line.
func Text(s string) Source { return Source{Text: s} }

// Pos is a place in a file. Line and Column count from 1, Column in characters;
// zero means unknown.
type Pos struct {
	File   string
	Line   int
	Column int
}

// Where is the part of an item that a rule looks into.
type Where string

const (
	Anywhere Where = "anywhere"
	Headline Where = "headline"
)
