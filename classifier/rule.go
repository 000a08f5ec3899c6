package classifier

import "strconv"

// Rule is one rule as its author wrote it. Either Query is set, or the plain
// form: at least one of Any, every one of All, none of None, and the words of
// Near together. Both compile to the
// same tree. An entry of the plain form is a query whose words side by side are
// a phrase: "film review" means the two words in this order.
type Rule struct {
	ID       string
	Name     string
	Severity Severity
	Tags     []string
	// Where narrows the whole rule to a part of the item.
	Where Where
	// Languages, Feeds and FeedTags, where not empty, are necessary conditions
	// on the item: one of each must fit. An item whose language nobody stated
	// fits every language, lest a feed that says nothing lose its stories, and
	// one in an Indic script fits the languages of the script, whatever its feed
	// states; "en" fits "en-in" too.
	Languages []string
	Feeds     []string
	FeedTags  []string

	// Spelling says which other spellings of its words the rule finds.
	Spelling Spelling
	// Show says how much of what it finds readers are shown.
	Show Show

	Query Source
	Any   []Source
	All   []Source
	None  []Source
	// Near, where not nil, is one more condition of the plain form.
	Near *Near

	MustMatch    []Source
	MustNotMatch []Source

	// Pos is where the rule begins, and Line gives a line of that file, for error
	// messages; it may be nil.
	Pos  Pos
	Line func(n int) string
}

// Near holds where its words, of which there are at least two, stand together:
// each with at most Within words between it and those before it in the list, in
// any order.
type Near struct {
	Words  []Source
	Within int
}

// Spelling says whether a rule finds its words in other spellings than its
// author's.
type Spelling string

const (
	// AsWritten finds what folds to the same word, and is the zero value.
	AsWritten Spelling = ""
	// Loose unites common variants of a word besides: organise and organize,
	// പൊലീസ് and പോലീസ്.
	Loose Spelling = "loose"
)

// Concept is a reusable set of terms: one meaning in many languages.
type Concept struct {
	ID string
	// Display is the preferred term, which digests print.
	Display string
	// Terms are by BCP 47 language, and written like the entries of a rule's
	// plain form. An item is searched for the terms of every language.
	Terms map[string][]Source
	// Pos and Line are as those of a Rule.
	Pos  Pos
	Line func(n int) string
}

// Source is a piece of text that an author wrote, with what is needed to point
// at any byte of it in the file that it came from.
type Source struct {
	Text string
	// At gives the place of byte i of Text, also for i = len(Text); nil means
	// that there is no file.
	At func(i int) Pos
	// Line gives a line of the file that At points into, without its end; nil
	// means that errors show the line of Text.
	Line func(n int) string
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

// String is file:line:column without the parts that are not known; "-" where
// none is.
func (p Pos) String() string {
	s := p.File
	if p.Line > 0 {
		if s != "" {
			s += ":"
		}
		s += strconv.Itoa(p.Line)
		if p.Column > 0 {
			s += ":" + strconv.Itoa(p.Column)
		}
	}
	if s == "" {
		return "-"
	}
	return s
}

// Where is the part of an item that a rule looks into. It narrows the words of
// a rule that are searched in its text (title, lead, body), and leaves alone
// those that name another field. The zero value is Anywhere.
type Where string

const (
	// Anywhere is the title, the lead and the body.
	Anywhere Where = "anywhere"
	// Headline is the title alone.
	Headline Where = "headline"
	// Start is the title, the lead and the first StartWords words of the body.
	Start Where = "start"
	// Major takes a word, a phrase or a NEAR that stands in the title or the
	// lead, or MajorMentions times in all: what is only mentioned in passing is
	// neither found nor, under a NOT, excluded.
	Major Where = "major"

	// prominent is the first half of Major.
	prominent Where = "title and lead"
)

const (
	// StartWords is how many words of a body belong to its start.
	StartWords = 100
	// MajorMentions is how often a word must stand in an item to be a major one.
	MajorMentions = 3
)

// Wheres are the values that a rule may have.
func Wheres() []Where { return []Where{Headline, Start, Anywhere, Major} }
